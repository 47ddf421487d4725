-- When an operator may change an agency's people.

CREATE TABLE break_glass (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX break_glass_by_agency ON break_glass ("agency");
CREATE INDEX break_glass_by_ends ON break_glass ("ends");

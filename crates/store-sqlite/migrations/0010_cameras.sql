-- Cameras and plate readers of agencies.

CREATE TABLE cameras (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT
) STRICT;
CREATE INDEX cameras_by_agency ON cameras ("agency");
CREATE INDEX cameras_by_state ON cameras ("state");

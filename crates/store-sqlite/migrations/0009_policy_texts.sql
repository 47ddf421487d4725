-- Texts of policy that agencies and the operator published, with what of them is not so.

CREATE TABLE policy_texts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT
) STRICT;
CREATE INDEX policy_texts_by_agency ON policy_texts ("agency");

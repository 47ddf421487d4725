-- What two people decide: proposals, rules of sharing between agencies, and notices of them to overseers.

CREATE TABLE proposals (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX proposals_by_agency ON proposals ("agency");
CREATE INDEX proposals_by_state ON proposals ("state");
CREATE INDEX proposals_by_ends ON proposals ("ends");

CREATE TABLE sharing_rules (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "owner" TEXT,
    "state" TEXT,
    "case_id" TEXT,
    "partner" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX sharing_rules_by_owner ON sharing_rules ("owner");
CREATE INDEX sharing_rules_by_state ON sharing_rules ("state");
CREATE INDEX sharing_rules_by_case_id ON sharing_rules ("case_id");
CREATE INDEX sharing_rules_by_partner ON sharing_rules ("partner");
CREATE INDEX sharing_rules_by_ends ON sharing_rules ("ends");

CREATE TABLE oversight_notices (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "unseen" TEXT,
    "at" TEXT
) STRICT;
CREATE INDEX oversight_notices_by_unseen ON oversight_notices ("unseen");
CREATE INDEX oversight_notices_by_at ON oversight_notices ("at");

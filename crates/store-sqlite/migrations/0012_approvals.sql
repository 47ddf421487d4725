-- Searches that take a second person's approval, and plate reads that are kept in cases.

CREATE TABLE search_approvals (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX search_approvals_by_agency ON search_approvals ("agency");
CREATE INDEX search_approvals_by_state ON search_approvals ("state");
CREATE INDEX search_approvals_by_ends ON search_approvals ("ends");

CREATE TABLE kept_reads (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "case_id" TEXT,
    "due" TEXT
) STRICT;
CREATE INDEX kept_reads_by_agency ON kept_reads ("agency");
CREATE INDEX kept_reads_by_case_id ON kept_reads ("case_id");
CREATE INDEX kept_reads_by_due ON kept_reads ("due");

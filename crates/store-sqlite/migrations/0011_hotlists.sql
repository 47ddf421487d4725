-- Hotlists, their versions with what is on them, and alerts.

CREATE TABLE hotlists (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT
) STRICT;
CREATE INDEX hotlists_by_agency ON hotlists ("agency");
CREATE INDEX hotlists_by_state ON hotlists ("state");

CREATE TABLE hotlist_versions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "list" TEXT,
    "state" TEXT
) STRICT;
CREATE INDEX hotlist_versions_by_list ON hotlist_versions ("list");
CREATE INDEX hotlist_versions_by_state ON hotlist_versions ("state");

CREATE TABLE hotlist_parts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "version_id" TEXT
) STRICT;
CREATE INDEX hotlist_parts_by_version_id ON hotlist_parts ("version_id");

CREATE TABLE alerts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT,
    "same" TEXT,
    "ends" TEXT,
    "tally" TEXT
) STRICT;
CREATE INDEX alerts_by_agency ON alerts ("agency");
CREATE INDEX alerts_by_state ON alerts ("state");
CREATE INDEX alerts_by_same ON alerts ("same");
CREATE INDEX alerts_by_ends ON alerts ("ends");
CREATE INDEX alerts_by_tally ON alerts ("tally");

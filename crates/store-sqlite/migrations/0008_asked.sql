-- What the owners of plates may learn of searches, and the orders of courts that keep it from them for a time.

CREATE TABLE asked_marks (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "search" TEXT,
    "day" TEXT,
    "state" TEXT
) STRICT;
CREATE INDEX asked_marks_by_search ON asked_marks ("search");
CREATE INDEX asked_marks_by_day ON asked_marks ("day");
CREATE INDEX asked_marks_by_state ON asked_marks ("state");

CREATE TABLE court_seals (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "search" TEXT,
    "state" TEXT,
    "due" TEXT,
    "ended" TEXT
) STRICT;
CREATE INDEX court_seals_by_agency ON court_seals ("agency");
CREATE INDEX court_seals_by_search ON court_seals ("search");
CREATE INDEX court_seals_by_state ON court_seals ("state");
CREATE INDEX court_seals_by_due ON court_seals ("due");
CREATE INDEX court_seals_by_ended ON court_seals ("ended");

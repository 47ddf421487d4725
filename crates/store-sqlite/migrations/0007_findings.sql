-- What misuse detection found, and the vehicles that members registered as their own.

CREATE TABLE findings (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "member" TEXT,
    "state" TEXT,
    "standing" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX findings_by_agency ON findings ("agency");
CREATE INDEX findings_by_member ON findings ("member");
CREATE INDEX findings_by_state ON findings ("state");
CREATE INDEX findings_by_standing ON findings ("standing");
CREATE INDEX findings_by_ends ON findings ("ends");

CREATE TABLE own_vehicles (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT
) STRICT;
CREATE INDEX own_vehicles_by_agency ON own_vehicles ("agency");

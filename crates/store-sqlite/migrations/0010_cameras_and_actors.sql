-- Cameras and plate readers of agencies; records of acts by the agency of who acted.

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

-- Whose member acted: misuse is looked for in what an agency's members do, on whosever matters.
ALTER TABLE audit_records ADD COLUMN "actor_agency" TEXT;
UPDATE audit_records SET "actor_agency" = json_extract(body, '$.body.actor_agency');
CREATE INDEX audit_records_by_actor_agency ON audit_records ("actor_agency");

-- What cameras saw, with small pictures, and what was seen in evidence, sealed.

CREATE TABLE camera_sightings (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "camera" TEXT,
    "law" TEXT,
    "seen" TEXT
) STRICT;
-- The composite index serves searches, the second the erasure of what is due.
CREATE INDEX camera_sightings_by_camera ON camera_sightings ("camera", "seen");
CREATE INDEX camera_sightings_by_law ON camera_sightings ("law", "seen");
CREATE INDEX camera_sightings_by_seen ON camera_sightings ("seen");

CREATE TABLE sighting_pictures (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "camera" TEXT
) STRICT;
CREATE INDEX sighting_pictures_by_camera ON sighting_pictures ("camera");

CREATE TABLE sealed_sightings (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "case_id" TEXT
) STRICT;
CREATE INDEX sealed_sightings_by_agency ON sealed_sightings ("agency");
CREATE INDEX sealed_sightings_by_case_id ON sealed_sightings ("case_id");

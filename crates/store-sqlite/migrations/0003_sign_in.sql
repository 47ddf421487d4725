-- What signs members in besides tokens: passkeys, the sessions that they open, invitations to register one, and lock-outs.

CREATE TABLE passkeys (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "member" TEXT,
    "credential" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX passkeys_by_member ON passkeys ("member");
CREATE INDEX passkeys_by_credential ON passkeys ("credential");
CREATE INDEX passkeys_by_ends ON passkeys ("ends");

CREATE TABLE sessions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "member" TEXT,
    "secret_hash" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX sessions_by_member ON sessions ("member");
CREATE INDEX sessions_by_secret_hash ON sessions ("secret_hash");
CREATE INDEX sessions_by_ends ON sessions ("ends");

CREATE TABLE enrolments (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "member" TEXT,
    "secret_hash" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX enrolments_by_member ON enrolments ("member");
CREATE INDEX enrolments_by_secret_hash ON enrolments ("secret_hash");
CREATE INDEX enrolments_by_ends ON enrolments ("ends");

CREATE TABLE lockouts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "ends" TEXT
) STRICT;
CREATE INDEX lockouts_by_ends ON lockouts ("ends");

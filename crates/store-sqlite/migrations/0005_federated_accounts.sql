-- Accounts of members at their agency's provider of sign-ins; who it is there stands as a digest.

CREATE TABLE federated_accounts (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "member" TEXT,
    "subject_hash" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX federated_accounts_by_member ON federated_accounts ("member");
CREATE INDEX federated_accounts_by_subject_hash ON federated_accounts ("subject_hash");
CREATE INDEX federated_accounts_by_ends ON federated_accounts ("ends");

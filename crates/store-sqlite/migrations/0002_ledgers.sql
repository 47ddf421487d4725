-- The queues of both ledgers, in their order for good, and the signed head of each.
--
-- Entries may repeat, so the digest finds places but does not make them unique.

CREATE TABLE ledger_entries (
    log TEXT NOT NULL CHECK (log IN ('requests', 'oversight')),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    entry BLOB NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (log, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_entries_by_digest ON ledger_entries (log, digest);

CREATE TABLE ledger_heads (
    log TEXT NOT NULL PRIMARY KEY CHECK (log IN ('requests', 'oversight')),
    head TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One table for each kind of record: its JSON, and beside it the columns that it is listed by.
--
-- AUTOINCREMENT, so that no place in the order is given twice, even after the last record was deleted.
-- The columns repeat what the body says; `canvass check` compares them and can write them anew.

PRAGMA application_id = 1129730895;

CREATE TABLE agencies (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "state" TEXT,
    "unpublished" TEXT
) STRICT;
CREATE INDEX agencies_by_state ON agencies ("state");
CREATE INDEX agencies_by_unpublished ON agencies ("unpublished");

CREATE TABLE members (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "stopped" TEXT
) STRICT;
CREATE INDEX members_by_agency ON members ("agency");
CREATE INDEX members_by_stopped ON members ("stopped");

CREATE TABLE tokens (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "member" TEXT,
    "secret_hash" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX tokens_by_member ON tokens ("member");
CREATE INDEX tokens_by_secret_hash ON tokens ("secret_hash");
CREATE INDEX tokens_by_ends ON tokens ("ends");

CREATE TABLE investigations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT
) STRICT;
CREATE INDEX investigations_by_agency ON investigations ("agency");

CREATE TABLE requests (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT,
    "due" TEXT,
    "unpublished" TEXT
) STRICT;
CREATE INDEX requests_by_agency ON requests ("agency");
CREATE INDEX requests_by_state ON requests ("state");
CREATE INDEX requests_by_due ON requests ("due");
CREATE INDEX requests_by_unpublished ON requests ("unpublished");

CREATE TABLE portals (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT,
    "unpublished" TEXT
) STRICT;
CREATE INDEX portals_by_agency ON portals ("agency");
CREATE INDEX portals_by_state ON portals ("state");
CREATE INDEX portals_by_unpublished ON portals ("unpublished");

CREATE TABLE request_keys (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT
) STRICT;
CREATE INDEX request_keys_by_agency ON request_keys ("agency");

CREATE TABLE invitations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "destination" TEXT,
    "secret_hash" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX invitations_by_agency ON invitations ("agency");
CREATE INDEX invitations_by_destination ON invitations ("destination");
CREATE INDEX invitations_by_secret_hash ON invitations ("secret_hash");
CREATE INDEX invitations_by_ends ON invitations ("ends");

CREATE TABLE offers (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "destination" TEXT,
    "state" TEXT,
    "lookup" TEXT,
    "due" TEXT,
    "upload" TEXT,
    "mailbox_due" TEXT,
    "unpublished" TEXT,
    "ended" TEXT
) STRICT;
CREATE INDEX offers_by_agency ON offers ("agency");
CREATE INDEX offers_by_destination ON offers ("destination");
CREATE INDEX offers_by_state ON offers ("state");
CREATE INDEX offers_by_lookup ON offers ("lookup");
CREATE INDEX offers_by_due ON offers ("due");
CREATE INDEX offers_by_upload ON offers ("upload");
CREATE INDEX offers_by_mailbox_due ON offers ("mailbox_due");
CREATE INDEX offers_by_unpublished ON offers ("unpublished");
CREATE INDEX offers_by_ended ON offers ("ended");

CREATE TABLE cases (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT,
    "closed" TEXT
) STRICT;
CREATE INDEX cases_by_agency ON cases ("agency");
CREATE INDEX cases_by_state ON cases ("state");
CREATE INDEX cases_by_closed ON cases ("closed");

CREATE TABLE items (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "case_id" TEXT,
    "offer" TEXT,
    "due" TEXT,
    "blob" TEXT
) STRICT;
CREATE INDEX items_by_agency ON items ("agency");
CREATE INDEX items_by_case_id ON items ("case_id");
CREATE INDEX items_by_offer ON items ("offer");
CREATE INDEX items_by_due ON items ("due");
CREATE INDEX items_by_blob ON items ("blob");

CREATE TABLE custody_events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "subject" TEXT
) STRICT;
CREATE INDEX custody_events_by_subject ON custody_events ("subject");

CREATE TABLE holds (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "subject" TEXT,
    "active" TEXT
) STRICT;
CREATE INDEX holds_by_agency ON holds ("agency");
CREATE INDEX holds_by_subject ON holds ("subject");
CREATE INDEX holds_by_active ON holds ("active");

CREATE TABLE erasures (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT,
    "blob" TEXT
) STRICT;
CREATE INDEX erasures_by_agency ON erasures ("agency");
CREATE INDEX erasures_by_state ON erasures ("state");
CREATE INDEX erasures_by_blob ON erasures ("blob");

CREATE TABLE audit_records (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "subject" TEXT,
    "action" TEXT,
    "at" TEXT
) STRICT;
CREATE INDEX audit_records_by_agency ON audit_records ("agency");
CREATE INDEX audit_records_by_subject ON audit_records ("subject");
CREATE INDEX audit_records_by_action ON audit_records ("action");
CREATE INDEX audit_records_by_at ON audit_records ("at");

CREATE TABLE settings (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL
) STRICT;

-- Webhooks of alerts with their messages, members' browsers that are told of alerts, and safelists.

CREATE TABLE webhooks (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "state" TEXT
) STRICT;
CREATE INDEX webhooks_by_agency ON webhooks ("agency");
CREATE INDEX webhooks_by_state ON webhooks ("state");

CREATE TABLE webhook_messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "webhook" TEXT,
    "state" TEXT,
    "due" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX webhook_messages_by_webhook ON webhook_messages ("webhook");
CREATE INDEX webhook_messages_by_state ON webhook_messages ("state");
CREATE INDEX webhook_messages_by_due ON webhook_messages ("due");
CREATE INDEX webhook_messages_by_ends ON webhook_messages ("ends");

CREATE TABLE alert_pushes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "member" TEXT,
    "session" TEXT,
    "endpoint" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX alert_pushes_by_agency ON alert_pushes ("agency");
CREATE INDEX alert_pushes_by_member ON alert_pushes ("member");
CREATE INDEX alert_pushes_by_session ON alert_pushes ("session");
CREATE INDEX alert_pushes_by_endpoint ON alert_pushes ("endpoint");
CREATE INDEX alert_pushes_by_ends ON alert_pushes ("ends");

CREATE TABLE safelist_entries (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL CHECK (version >= 1),
    body TEXT NOT NULL,
    "agency" TEXT,
    "plate" TEXT,
    "ends" TEXT
) STRICT;
CREATE INDEX safelist_entries_by_agency ON safelist_entries ("agency");
CREATE INDEX safelist_entries_by_plate ON safelist_entries ("plate");
CREATE INDEX safelist_entries_by_ends ON safelist_entries ("ends");

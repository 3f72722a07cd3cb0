-- Fanfare's webhooks: the secrets that they are signed with, sealed by the master key; what is made of their events; and by
-- which hashed keys an event that came twice is known.

CREATE TABLE webhook_secrets (
    organization_id             TEXT    NOT NULL PRIMARY KEY,
    master_key_version          INTEGER NOT NULL,
    sealed_secret               BLOB    NOT NULL,
    previous_master_key_version INTEGER,
    previous_sealed_secret      BLOB,
    previous_until              INTEGER
) STRICT, WITHOUT ROWID;

-- `metrics` is an object: the metric of a type, or null where the type is not sent. A type that is not in it has its default.
CREATE TABLE event_settings (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    enabled         INTEGER NOT NULL,
    metrics         TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE inbound_events (
    organization_id TEXT    NOT NULL,
    key             TEXT    NOT NULL,
    received_at     INTEGER NOT NULL,
    PRIMARY KEY (organization_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX inbound_events_by_time ON inbound_events (organization_id, received_at);

-- Fanfare's webhooks: the secrets that they are signed with, sealed by the master key; what is made of their events; and by
-- which hashed keys an event that came twice is known.

CREATE TABLE webhook_secrets (
    organization_id             text        COLLATE "C" PRIMARY KEY,
    master_key_version          bigint      NOT NULL,
    sealed_secret               bytea       NOT NULL,
    previous_master_key_version bigint,
    previous_sealed_secret      bytea,
    previous_until              timestamptz
) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);

ALTER TABLE webhook_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON webhook_secrets
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_secrets TO fanfare_app;

-- `metrics` is an object: the metric of a type, or null where the type is not sent. A type that is not in it has its default.
CREATE TABLE event_settings (
    organization_id text    COLLATE "C" PRIMARY KEY,
    enabled         boolean NOT NULL,
    metrics         jsonb   NOT NULL
);

ALTER TABLE event_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON event_settings
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON event_settings TO fanfare_app;

CREATE TABLE inbound_events (
    organization_id text        COLLATE "C" NOT NULL,
    key             text        COLLATE "C" NOT NULL,
    received_at     timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key)
);
CREATE INDEX inbound_events_by_time
    ON inbound_events (organization_id, received_at) WHERE received_at IS NOT NULL;

ALTER TABLE inbound_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbound_events FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON inbound_events
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON inbound_events TO fanfare_app;

-- An organization's connection to Klaviyo, its key sealed.
--
-- A key that was replaced or deleted stays in a dead row until it is vacuumed: that is wanted within
-- a minute here (autovacuum's round), and not only after fifty of them.

CREATE TABLE klaviyo_connections (
    organization_id    text        COLLATE "C" PRIMARY KEY,
    master_key_version bigint      NOT NULL,
    sealed_key         bytea       NOT NULL,
    last4              text        NOT NULL,
    account_id         text,
    status             text        NOT NULL,
    verified_at        timestamptz NOT NULL,
    missing_scopes     text[]      NOT NULL,
    message            text
) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);

ALTER TABLE klaviyo_connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE klaviyo_connections FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON klaviyo_connections
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON klaviyo_connections TO fanfare_app;

-- Erased people: keyed hashes of what named them, so that no later pass brings them back, and the key of an
-- organization's hashes, sealed by the master key.

CREATE TABLE erased_people (
    organization_id text        COLLATE "C" NOT NULL,
    hash            text        COLLATE "C" NOT NULL,
    erased_at       timestamptz NOT NULL,
    PRIMARY KEY (organization_id, hash)
);

ALTER TABLE erased_people ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_people FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON erased_people
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON erased_people TO fanfare_app;

CREATE TABLE erasure_keys (
    organization_id    text   COLLATE "C" PRIMARY KEY,
    master_key_version bigint NOT NULL,
    sealed_key         bytea  NOT NULL
) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);

ALTER TABLE erasure_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON erasure_keys
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON erasure_keys TO fanfare_app;

-- The programs erase and retain, so they delete.
GRANT DELETE ON consumers, profile_links, sync_issues TO fanfare_app;

-- locks: issues are few, and an index of them is built in moments.
CREATE INDEX sync_issues_of_profile
    ON sync_issues (organization_id, profile_id) WHERE profile_id IS NOT NULL;

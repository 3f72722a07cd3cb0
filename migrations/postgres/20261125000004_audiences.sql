-- Audiences, and the sync sources that fill them.

CREATE TABLE sync_sources (
    organization_id text        COLLATE "C" NOT NULL,
    id              text        COLLATE "C" NOT NULL,
    sync_source     text        COLLATE "C" NOT NULL, -- klaviyo:list or klaviyo:segment
    sync_source_id  text        COLLATE "C" NOT NULL, -- Klaviyo's id of it
    audience_id     text        COLLATE "C" NOT NULL,
    sync_status     text        NOT NULL,
    last_synced_at  timestamptz,
    source_data     jsonb       NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      text        NOT NULL,
    updated_at      timestamptz,
    archived        boolean     NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX sync_sources_one_per_collection
    ON sync_sources (organization_id, sync_source, sync_source_id) WHERE NOT archived;

ALTER TABLE sync_sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync_sources FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON sync_sources
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE ON sync_sources TO fanfare_app;

CREATE TABLE audiences (
    organization_id          text        COLLATE "C" NOT NULL,
    id                       text        COLLATE "C" NOT NULL,
    source_id                text        COLLATE "C" NOT NULL,
    name                     text        COLLATE "C" NOT NULL,
    -- Names may be longer than an index entry, and row security lets no index compute a hash.
    name_hash                bigint      NOT NULL
        GENERATED ALWAYS AS (hashtextextended(name, 0)) STORED,
    named_by_hand            boolean     NOT NULL,
    description              text,
    icon_name                text,
    metadata                 jsonb, -- values are JSON texts
    group_id                 text,
    group_name               text,
    group_type               text,
    last_refreshed_at        timestamptz,
    refresh_interval_seconds bigint,
    created_at               timestamptz NOT NULL,
    created_by               text        NOT NULL,
    updated_at               timestamptz,
    updated_by               text,
    archived                 boolean     NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, source_id) REFERENCES sync_sources (organization_id, id)
);
CREATE INDEX audiences_by_name ON audiences (organization_id, name_hash) WHERE NOT archived;

ALTER TABLE audiences ENABLE ROW LEVEL SECURITY;
ALTER TABLE audiences FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON audiences
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE ON audiences TO fanfare_app;

-- Audiences, and the sync sources that fill them.

CREATE TABLE sync_sources (
    organization_id TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    sync_source     TEXT    NOT NULL, -- klaviyo:list or klaviyo:segment
    sync_source_id  TEXT    NOT NULL, -- Klaviyo's id of it
    audience_id     TEXT    NOT NULL,
    sync_status     TEXT    NOT NULL,
    last_synced_at  INTEGER,
    source_data     TEXT    NOT NULL, -- JSON object
    created_at      INTEGER NOT NULL,
    created_by      TEXT    NOT NULL,
    updated_at      INTEGER,
    archived        INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX sync_sources_one_per_collection
    ON sync_sources (organization_id, sync_source, sync_source_id) WHERE archived = 0;

CREATE TABLE audiences (
    organization_id          TEXT    NOT NULL,
    id                       TEXT    NOT NULL,
    source_id                TEXT    NOT NULL,
    name                     TEXT    NOT NULL,
    named_by_hand            INTEGER NOT NULL,
    description              TEXT,
    icon_name                TEXT,
    metadata                 TEXT,    -- JSON object of JSON texts
    group_id                 TEXT,
    group_name               TEXT,
    group_type               TEXT,
    last_refreshed_at        INTEGER,
    refresh_interval_seconds INTEGER,
    created_at               INTEGER NOT NULL,
    created_by               TEXT    NOT NULL,
    updated_at               INTEGER,
    updated_by               TEXT,
    archived                 INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, source_id) REFERENCES sync_sources (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audiences_by_name ON audiences (organization_id, name) WHERE archived = 0;

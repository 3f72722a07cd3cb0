-- Consumers, and the Klaviyo profiles linked to them.
-- `…_updated` and `…_profile` beside a value are the stamp that wrote it: the profile's `updated`
-- in Klaviyo, and its id.

CREATE TABLE consumers (
    organization_id   TEXT    NOT NULL,
    id                TEXT    NOT NULL,
    email             TEXT,
    phone             TEXT,
    phone_updated     INTEGER,
    phone_profile     TEXT,
    full_name         TEXT,
    full_name_updated INTEGER,
    full_name_profile TEXT,
    primary_profile   TEXT,
    primary_updated   INTEGER,
    primary_source_id TEXT,
    created_at        INTEGER NOT NULL,
    created_by        TEXT    NOT NULL,
    updated_at        INTEGER,
    updated_by        TEXT,
    PRIMARY KEY (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX consumers_one_per_email
    ON consumers (organization_id, email) WHERE email IS NOT NULL;
CREATE INDEX consumers_by_phone ON consumers (organization_id, phone) WHERE phone IS NOT NULL;

-- Each row is a `klaviyo:profile` sync source too: `source_id` is its id as one.
CREATE TABLE profile_links (
    organization_id TEXT    NOT NULL,
    profile_id      TEXT    NOT NULL,
    source_id       TEXT    NOT NULL,
    consumer_id     TEXT    NOT NULL,
    profile_updated INTEGER,
    changed_at      INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER,
    PRIMARY KEY (organization_id, profile_id),
    FOREIGN KEY (organization_id, consumer_id) REFERENCES consumers (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX profile_links_by_consumer ON profile_links (organization_id, consumer_id);
CREATE UNIQUE INDEX profile_links_by_source ON profile_links (organization_id, source_id);

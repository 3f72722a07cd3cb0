-- Consumers, and the Klaviyo profiles linked to them.
-- `…_updated` and `…_profile` beside a value are the stamp that wrote it: the profile's `updated`
-- in Klaviyo, and its id.

CREATE TABLE consumers (
    organization_id   text        COLLATE "C" NOT NULL,
    id                text        COLLATE "C" NOT NULL,
    email             text        COLLATE "C",
    phone             text        COLLATE "C",
    phone_updated     timestamptz,
    phone_profile     text        COLLATE "C",
    -- In the database's own collation, so that a search knows the cases of its language.
    full_name         text,
    full_name_updated timestamptz,
    full_name_profile text        COLLATE "C",
    primary_profile   text        COLLATE "C",
    primary_updated   timestamptz,
    primary_source_id text        COLLATE "C",
    created_at        timestamptz NOT NULL,
    created_by        text        NOT NULL,
    updated_at        timestamptz,
    updated_by        text,
    PRIMARY KEY (organization_id, id)
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX consumers_one_per_email
    ON consumers (organization_id, email) WHERE email IS NOT NULL;
CREATE INDEX consumers_by_phone ON consumers (organization_id, phone) WHERE phone IS NOT NULL;

ALTER TABLE consumers ENABLE ROW LEVEL SECURITY;
ALTER TABLE consumers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON consumers
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE ON consumers TO fanfare_app;

-- Each row is a `klaviyo:profile` sync source too: `source_id` is its id as one.
CREATE TABLE profile_links (
    organization_id text        COLLATE "C" NOT NULL,
    profile_id      text        COLLATE "C" NOT NULL,
    source_id       text        COLLATE "C" NOT NULL,
    consumer_id     text        COLLATE "C" NOT NULL,
    profile_updated timestamptz,
    changed_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz,
    PRIMARY KEY (organization_id, profile_id),
    FOREIGN KEY (organization_id, consumer_id) REFERENCES consumers (organization_id, id)
) WITH (fillfactor = 90);
CREATE INDEX profile_links_by_consumer ON profile_links (organization_id, consumer_id);
CREATE UNIQUE INDEX profile_links_by_source ON profile_links (organization_id, source_id);

ALTER TABLE profile_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE profile_links FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON profile_links
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE ON profile_links TO fanfare_app;

-- The role that programs take on every connection, and control tables: they belong to no
-- organization's unit of work, have no row security and hold no personal data.
--
-- Ids are compared bytewise (COLLATE "C"), here and everywhere: that is the order of pages, whatever
-- the database's own order of letters.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fanfare_app') THEN
        CREATE ROLE fanfare_app NOLOGIN;
    END IF;
EXCEPTION
    -- Roles belong to the whole cluster: another database's migration was quicker.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- What belongs to the store as a whole.
CREATE TABLE meta (
    name  text  COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);
GRANT SELECT, INSERT ON meta TO fanfare_app;

CREATE TABLE organizations (
    id         text        COLLATE "C" PRIMARY KEY,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON organizations TO fanfare_app;

CREATE TABLE api_keys (
    id              text        COLLATE "C" PRIMARY KEY,
    organization_id text        COLLATE "C" NOT NULL REFERENCES organizations (id),
    role            text        NOT NULL,
    kind            text        NOT NULL,
    hash            bytea       NOT NULL UNIQUE,
    created_at      timestamptz NOT NULL,
    revoked_at      timestamptz
);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id, id);
GRANT SELECT, INSERT, UPDATE ON api_keys TO fanfare_app;

-- Moments of an audience that are kept by a name. The members then are told by the memberships, which stay as long as a
-- snapshot needs them; `members` is their number as it was taken.

CREATE TABLE snapshots (
    organization_id text        COLLATE "C" NOT NULL,
    audience_id     text        COLLATE "C" NOT NULL,
    id              text        COLLATE "C" NOT NULL,
    name            text        COLLATE "C" NOT NULL,
    at              timestamptz NOT NULL,
    members         bigint      NOT NULL,
    PRIMARY KEY (organization_id, audience_id, id)
);

ALTER TABLE snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE snapshots FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON snapshots
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON snapshots TO fanfare_app;

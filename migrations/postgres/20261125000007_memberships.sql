-- Who is a member of which audience. `run_id` is the run that added the member.
--
-- No foreign key to the audience: every row of a page names the same one, and Postgres would look it up
-- for each, which costs a twentieth of a page's time. The store looks once for each page, and audiences
-- are archived, never deleted.

CREATE TABLE audience_list_memberships (
    organization_id text        COLLATE "C" NOT NULL,
    audience_id     text        COLLATE "C" NOT NULL,
    consumer_id     text        COLLATE "C" NOT NULL,
    run_id          text        COLLATE "C" NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (organization_id, audience_id, consumer_id),
    FOREIGN KEY (organization_id, consumer_id) REFERENCES consumers (organization_id, id)
);

ALTER TABLE audience_list_memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE audience_list_memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON audience_list_memberships
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON audience_list_memberships TO fanfare_app;

-- What an active run has seen so far; forgotten when it has ended. No foreign key to the run, for the
-- reason that memberships have none to the audience.

CREATE TABLE run_sightings (
    organization_id text    COLLATE "C" NOT NULL,
    run_id          text    COLLATE "C" NOT NULL,
    profile_id      text    COLLATE "C" NOT NULL,
    with_email      boolean NOT NULL,
    PRIMARY KEY (organization_id, run_id, profile_id)
);

ALTER TABLE run_sightings ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_sightings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON run_sightings
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON run_sightings TO fanfare_app;

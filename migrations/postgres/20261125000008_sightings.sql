-- What an active run has seen so far; forgotten when it has ended.

CREATE TABLE run_sightings (
    organization_id text    COLLATE "C" NOT NULL,
    run_id          text    COLLATE "C" NOT NULL,
    profile_id      text    COLLATE "C" NOT NULL,
    with_email      boolean NOT NULL,
    PRIMARY KEY (organization_id, run_id, profile_id),
    FOREIGN KEY (organization_id, run_id) REFERENCES sync_runs (organization_id, id)
);

ALTER TABLE run_sightings ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_sightings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON run_sightings
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON run_sightings TO fanfare_app;

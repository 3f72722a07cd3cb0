-- What an active run has seen so far; forgotten when it has ended.

CREATE TABLE run_sightings (
    organization_id TEXT    NOT NULL,
    run_id          TEXT    NOT NULL,
    profile_id      TEXT    NOT NULL,
    with_email      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, run_id, profile_id),
    FOREIGN KEY (organization_id, run_id) REFERENCES sync_runs (organization_id, id)
) STRICT, WITHOUT ROWID;

-- Records that a run did not take as they were.

CREATE TABLE sync_issues (
    organization_id TEXT    NOT NULL,
    run_id          TEXT    NOT NULL,
    profile_id      TEXT    NOT NULL,
    code            TEXT    NOT NULL,
    field           TEXT    NOT NULL, -- '' where it is about no field alone
    at              INTEGER NOT NULL,
    PRIMARY KEY (organization_id, run_id, profile_id, code, field),
    FOREIGN KEY (organization_id, run_id) REFERENCES sync_runs (organization_id, id)
) STRICT, WITHOUT ROWID;

-- Records that a run did not take as they were.

CREATE TABLE sync_issues (
    organization_id text        COLLATE "C" NOT NULL,
    run_id          text        COLLATE "C" NOT NULL,
    profile_id      text        COLLATE "C" NOT NULL,
    code            text        COLLATE "C" NOT NULL,
    field           text        COLLATE "C" NOT NULL, -- '' where it is about no field alone
    at              timestamptz NOT NULL,
    PRIMARY KEY (organization_id, run_id, profile_id, code, field),
    FOREIGN KEY (organization_id, run_id) REFERENCES sync_runs (organization_id, id)
);

ALTER TABLE sync_issues ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync_issues FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON sync_issues
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT ON sync_issues TO fanfare_app;

-- Runs, and the queue of those that are due.

-- A row is overwritten with each page, in columns that no index holds: with room in the page the new
-- version stays beside the old one.
CREATE TABLE sync_runs (
    organization_id  text        COLLATE "C" NOT NULL,
    id               text        COLLATE "C" NOT NULL,
    source_id        text        COLLATE "C" NOT NULL,
    audience_id      text        COLLATE "C" NOT NULL,
    mode             text        NOT NULL,
    trigger          text        NOT NULL,
    status           text        COLLATE "C" NOT NULL,
    attempt          bigint      NOT NULL,
    crashes          bigint      NOT NULL,
    failures         bigint      NOT NULL,
    confirm_removals boolean     NOT NULL,
    queued_at        timestamptz NOT NULL,
    started_at       timestamptz,
    finished_at      timestamptz,
    members_at_start bigint      NOT NULL,
    total            bigint,
    processed        bigint      NOT NULL,
    created          bigint      NOT NULL,
    updated          bigint      NOT NULL,
    unchanged        bigint      NOT NULL,
    skipped          bigint      NOT NULL,
    members_added    bigint      NOT NULL,
    members_removed  bigint      NOT NULL,
    pages            bigint      NOT NULL,
    checkpoint       jsonb       NOT NULL,
    error_code       text,
    error_message    text,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, source_id) REFERENCES sync_sources (organization_id, id),
    FOREIGN KEY (organization_id, audience_id) REFERENCES audiences (organization_id, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX sync_runs_one_active_per_source
    ON sync_runs (organization_id, source_id) WHERE status IN ('PENDING', 'SYNCING');
CREATE INDEX sync_runs_by_audience ON sync_runs (organization_id, audience_id, id);

ALTER TABLE sync_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON sync_runs
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE ON sync_runs TO fanfare_app;

-- A control table with one row for each active run: its lease, and when the bell must ring if
-- nothing has happened until then.
--
-- No index but the key: every page moves both times, and would leave a dead entry in each index,
-- while the whole table is a few pages that are read at once.
CREATE TABLE run_queue (
    organization_id text        COLLATE "C" NOT NULL,
    run_id          text        COLLATE "C" NOT NULL,
    due_at          timestamptz NOT NULL,
    lease_until     timestamptz, -- NULL: nobody holds it
    token           bigint      NOT NULL,
    ring_at         timestamptz NOT NULL,
    PRIMARY KEY (organization_id, run_id)
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE, DELETE ON run_queue TO fanfare_app;

-- Runs, and the queue of those that are due.

CREATE TABLE sync_runs (
    organization_id  TEXT    NOT NULL,
    id               TEXT    NOT NULL,
    source_id        TEXT    NOT NULL,
    audience_id      TEXT    NOT NULL,
    mode             TEXT    NOT NULL,
    trigger          TEXT    NOT NULL,
    status           TEXT    NOT NULL,
    attempt          INTEGER NOT NULL,
    crashes          INTEGER NOT NULL,
    failures         INTEGER NOT NULL,
    confirm_removals INTEGER NOT NULL,
    queued_at        INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    members_at_start INTEGER NOT NULL,
    total            INTEGER,
    processed        INTEGER NOT NULL,
    created          INTEGER NOT NULL,
    updated          INTEGER NOT NULL,
    unchanged        INTEGER NOT NULL,
    skipped          INTEGER NOT NULL,
    members_added    INTEGER NOT NULL,
    members_removed  INTEGER NOT NULL,
    pages            INTEGER NOT NULL,
    checkpoint       TEXT    NOT NULL, -- JSON object
    error_code       TEXT,
    error_message    TEXT,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, source_id) REFERENCES sync_sources (organization_id, id),
    FOREIGN KEY (organization_id, audience_id) REFERENCES audiences (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX sync_runs_one_active_per_source
    ON sync_runs (organization_id, source_id) WHERE status IN ('PENDING', 'SYNCING');
CREATE INDEX sync_runs_by_audience ON sync_runs (organization_id, audience_id, id);

-- A control table with one row for each active run: its lease, and when the bell must ring if
-- nothing has happened until then.
CREATE TABLE run_queue (
    organization_id TEXT    NOT NULL,
    run_id          TEXT    NOT NULL,
    due_at          INTEGER NOT NULL,
    lease_until     INTEGER, -- NULL: nobody holds it
    token           INTEGER NOT NULL,
    ring_at         INTEGER NOT NULL,
    PRIMARY KEY (organization_id, run_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_queue_by_ring ON run_queue (ring_at);
CREATE INDEX run_queue_by_due ON run_queue (due_at);

-- The queue of due work of any kind takes the place of the queue of due runs, and the organizations' last
-- claims that of their turns.
--
-- A control table with one row for each piece of work that is still to be done: its lease, and when a worker
-- must be notified if nothing has happened until then. `kind` and `id` say what the work is about.

CREATE TABLE work_queue (
    organization_id TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    due_at          INTEGER NOT NULL,
    lease_until     INTEGER, -- NULL: leased to no worker
    token           INTEGER NOT NULL,
    notify_at       INTEGER NOT NULL,
    PRIMARY KEY (organization_id, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX work_queue_by_notification ON work_queue (notify_at);
CREATE INDEX work_queue_by_due ON work_queue (due_at);

-- Workers are notified anew, by jobs of the new form.
INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
SELECT organization_id, 'PULL', run_id, due_at, lease_until, token, 0 FROM run_queue;

-- When work of an organization was last claimed: of two organizations with equally many leases, the one whose
-- last claim is longest ago is next.
CREATE TABLE last_claims (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    claimed_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO last_claims (organization_id, claimed_at) SELECT organization_id, served_at FROM run_turns;

-- contract: the queue of due work has taken its place.
DROP TABLE run_queue;
-- contract: the organizations' last claims have taken its place.
DROP TABLE run_turns;

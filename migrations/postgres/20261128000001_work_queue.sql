-- The queue of due work of any kind takes the place of the queue of due runs, and the organizations' last
-- claims that of their turns.
--
-- A control table with one row for each piece of work that is still to be done: its lease, and when a worker
-- must be notified if nothing has happened until then. `kind` and `id` say what the work is about.
--
-- No index but the key: every page moves both times, and would leave a dead entry in each index,
-- while the whole table is a few pages that are read at once.

CREATE TABLE work_queue (
    organization_id text        COLLATE "C" NOT NULL,
    kind            text        COLLATE "C" NOT NULL,
    id              text        COLLATE "C" NOT NULL,
    due_at          timestamptz NOT NULL,
    lease_until     timestamptz, -- NULL: leased to no worker
    token           bigint      NOT NULL,
    notify_at       timestamptz NOT NULL,
    PRIMARY KEY (organization_id, kind, id)
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE, DELETE ON work_queue TO fanfare_app;

-- Workers are notified anew, by jobs of the new form.
INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
SELECT organization_id, 'PULL', run_id, due_at, lease_until, token, now() FROM run_queue;

-- When work of an organization was last claimed: of two organizations with equally many leases, the one whose
-- last claim is longest ago is next.
CREATE TABLE last_claims (
    organization_id text        COLLATE "C" PRIMARY KEY,
    claimed_at      timestamptz NOT NULL
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE ON last_claims TO fanfare_app;

INSERT INTO last_claims (organization_id, claimed_at) SELECT organization_id, served_at FROM run_turns;

-- contract: the queue of due work has taken its place.
DROP TABLE run_queue;
-- contract: the organizations' last claims have taken its place.
DROP TABLE run_turns;

-- Audiences that are kept in Klaviyo lists, what we have done to each list, and the runs that push.
--
-- `kept_lists.state` holds what was chosen, what was shown and confirmed, and up to when the list is what its audience was.
-- `list_ledger` holds whom we added to a list, whom somebody took off again, and who is in it by others. `open_at` is when a write
-- was stored whose answer is still to come. A push's `state` holds its checkpoint.

CREATE TABLE kept_lists (
    organization_id TEXT NOT NULL,
    audience_id     TEXT NOT NULL,
    list_id         TEXT NOT NULL,
    state           TEXT NOT NULL, -- JSON object
    PRIMARY KEY (organization_id, audience_id),
    FOREIGN KEY (organization_id, audience_id) REFERENCES audiences (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX kept_lists_one_per_list ON kept_lists (organization_id, list_id);

CREATE TABLE list_ledger (
    organization_id TEXT    NOT NULL,
    list_id         TEXT    NOT NULL,
    profile_id      TEXT    NOT NULL,
    consumer_id     TEXT,
    standing        TEXT    NOT NULL,
    since           INTEGER NOT NULL,
    seen_at         INTEGER,
    open_at         INTEGER,
    PRIMARY KEY (organization_id, list_id, profile_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX list_ledger_of_consumer ON list_ledger (organization_id, consumer_id, list_id) WHERE consumer_id IS NOT NULL;
CREATE INDEX list_ledger_open ON list_ledger (organization_id, open_at, list_id) WHERE open_at IS NOT NULL;

CREATE TABLE push_runs (
    organization_id TEXT NOT NULL,
    id              TEXT NOT NULL,
    audience_id     TEXT NOT NULL,
    status          TEXT NOT NULL,
    state           TEXT NOT NULL, -- JSON object
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, audience_id) REFERENCES audiences (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX push_runs_by_audience ON push_runs (organization_id, audience_id, id);
CREATE UNIQUE INDEX push_runs_one_active_per_audience
    ON push_runs (organization_id, audience_id) WHERE status IN ('PENDING', 'SYNCING');

CREATE TABLE push_settings (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    push_limit      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

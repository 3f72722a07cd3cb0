-- Audiences that are kept in Klaviyo lists, what we have done to each list, and the runs that push.
--
-- `kept_lists.state` holds what was chosen, what was shown and confirmed, and up to when the list is what its audience was.
-- `list_ledger` holds whom we added to a list, whom somebody took off again, and who is in it by others. `open_at` is when a write
-- was stored whose answer is still to come. A push's `state` holds its checkpoint.

CREATE TABLE kept_lists (
    organization_id text  COLLATE "C" NOT NULL,
    audience_id     text  COLLATE "C" NOT NULL,
    list_id         text  COLLATE "C" NOT NULL,
    state           jsonb NOT NULL,
    PRIMARY KEY (organization_id, audience_id),
    FOREIGN KEY (organization_id, audience_id) REFERENCES audiences (organization_id, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX kept_lists_one_per_list ON kept_lists (organization_id, list_id) WHERE list_id IS NOT NULL;

ALTER TABLE kept_lists ENABLE ROW LEVEL SECURITY;
ALTER TABLE kept_lists FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON kept_lists
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON kept_lists TO fanfare_app;

CREATE TABLE list_ledger (
    organization_id text        COLLATE "C" NOT NULL,
    list_id         text        COLLATE "C" NOT NULL,
    profile_id      text        COLLATE "C" NOT NULL,
    consumer_id     text        COLLATE "C",
    standing        text        COLLATE "C" NOT NULL,
    since           timestamptz NOT NULL,
    seen_at         timestamptz,
    open_at         timestamptz,
    PRIMARY KEY (organization_id, list_id, profile_id)
) WITH (fillfactor = 70);
CREATE INDEX list_ledger_of_consumer ON list_ledger (organization_id, consumer_id, list_id) WHERE consumer_id IS NOT NULL;
CREATE INDEX list_ledger_open ON list_ledger (organization_id, open_at, list_id) WHERE open_at IS NOT NULL;

ALTER TABLE list_ledger ENABLE ROW LEVEL SECURITY;
ALTER TABLE list_ledger FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON list_ledger
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON list_ledger TO fanfare_app;

CREATE TABLE push_runs (
    organization_id text  COLLATE "C" NOT NULL,
    id              text  COLLATE "C" NOT NULL,
    audience_id     text  COLLATE "C" NOT NULL,
    status          text  COLLATE "C" NOT NULL,
    state           jsonb NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, audience_id) REFERENCES audiences (organization_id, id)
) WITH (fillfactor = 70);
CREATE INDEX push_runs_by_audience ON push_runs (organization_id, audience_id, id) WHERE audience_id IS NOT NULL;
CREATE UNIQUE INDEX push_runs_one_active_per_audience
    ON push_runs (organization_id, audience_id) WHERE status IN ('PENDING', 'SYNCING');

ALTER TABLE push_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE push_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON push_runs
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON push_runs TO fanfare_app;

CREATE TABLE push_settings (
    organization_id text   COLLATE "C" PRIMARY KEY,
    push_limit      bigint NOT NULL
) WITH (fillfactor = 50);

ALTER TABLE push_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE push_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON push_settings
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON push_settings TO fanfare_app;

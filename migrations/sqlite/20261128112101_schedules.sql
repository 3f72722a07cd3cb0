-- When continuous audiences are due. A control table with one row for each audience that syncs by itself and is not
-- paused: workers look across organizations for what is due. The interval is the audience's own.
--
-- `sync_sources` has when a complete pass last succeeded (NULL: none has since this is kept), and why the schedule of
-- its audience is paused (NULL: it is not).

CREATE TABLE schedules (
    organization_id TEXT    NOT NULL,
    audience_id     TEXT    NOT NULL,
    due_at          INTEGER NOT NULL,
    PRIMARY KEY (organization_id, audience_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX schedules_by_due ON schedules (due_at);
CREATE INDEX schedules_of_organization ON schedules (organization_id, due_at);

ALTER TABLE sync_sources ADD COLUMN last_full_pass_at INTEGER;
ALTER TABLE sync_sources ADD COLUMN paused_by TEXT;

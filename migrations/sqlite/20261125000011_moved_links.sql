-- Whether profiles have moved between consumers since the run was queued: only then can the members that
-- its pages added differ from the consumers of what it has seen.

ALTER TABLE sync_runs ADD COLUMN links_moved INTEGER NOT NULL DEFAULT 0;

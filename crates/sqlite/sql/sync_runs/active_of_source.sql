SELECT id FROM sync_runs INDEXED BY sync_runs_one_active_per_source
WHERE organization_id = $1 AND source_id = $2 AND status IN ('PENDING', 'SYNCING')

SELECT id FROM sync_runs
WHERE organization_id = $1 AND source_id = $2 AND status IN ('PENDING', 'SYNCING')

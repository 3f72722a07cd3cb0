SELECT id FROM sync_runs WHERE organization_id = $1 AND status IN ('PENDING', 'SYNCING')

SELECT state FROM push_runs
WHERE organization_id = $1 AND audience_id = $2 AND status IN ('PENDING', 'SYNCING')

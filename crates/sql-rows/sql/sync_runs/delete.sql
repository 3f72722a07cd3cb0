DELETE FROM sync_runs WHERE organization_id = $1 AND id = $2

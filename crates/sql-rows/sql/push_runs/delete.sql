DELETE FROM push_runs WHERE organization_id = $1 AND id = $2

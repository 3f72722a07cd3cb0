SELECT state FROM push_runs
WHERE organization_id = $1 AND audience_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4

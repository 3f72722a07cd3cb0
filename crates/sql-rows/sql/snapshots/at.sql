SELECT id FROM snapshots WHERE organization_id = $1 AND audience_id = $2 AND at = $3 LIMIT 1

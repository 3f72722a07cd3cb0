SELECT id FROM sync_runs
WHERE organization_id = $1 AND audience_id >= $2 AND audience_id <= $2
ORDER BY audience_id DESC, id DESC LIMIT 1

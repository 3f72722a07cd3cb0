SELECT id FROM sync_runs
WHERE organization_id = $1 AND audience_id >= $2 AND audience_id <= $2 AND status = 'SUCCESS'
ORDER BY audience_id DESC, id DESC LIMIT 1

SELECT run_id FROM sync_issues
WHERE organization_id = $1 AND profile_id >= $2 AND profile_id <= $2 ORDER BY profile_id

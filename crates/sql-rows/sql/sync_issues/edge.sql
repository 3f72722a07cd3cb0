SELECT profile_id FROM sync_issues WHERE organization_id = $1 AND run_id = $2
ORDER BY profile_id LIMIT 1 OFFSET $3

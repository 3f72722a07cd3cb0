SELECT profile_id, code, field, at FROM sync_issues
WHERE organization_id = $1 AND run_id = $2 AND (profile_id, code, field) > ($3, $4, $5)
ORDER BY profile_id, code, field LIMIT $6

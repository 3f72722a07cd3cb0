DELETE FROM sync_issues
WHERE organization_id = $1 AND run_id = $2 AND (CAST($3 AS text) IS NULL OR profile_id <= $3)

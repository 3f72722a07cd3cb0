SELECT i.run_id, i.code, i.at
FROM (
    SELECT run_id, code, at FROM sync_issues
    WHERE organization_id = $1 AND profile_id >= $2 AND profile_id <= $2
    ORDER BY profile_id OFFSET 0) i
CROSS JOIN LATERAL (
    SELECT audience_id FROM sync_runs WHERE organization_id = $1 AND id = i.run_id OFFSET 0) r
WHERE r.audience_id = $3

SELECT i.run_id, i.code, i.at
FROM sync_issues i INDEXED BY sync_issues_of_profile
CROSS JOIN sync_runs r ON r.organization_id = $1 AND r.id = i.run_id
WHERE i.organization_id = $1 AND i.profile_id = $2 AND r.audience_id = $3

SELECT code, count(*) AS "issues!" FROM sync_issues
WHERE organization_id = $1 AND run_id = $2 GROUP BY code ORDER BY code

SELECT count(*) AS "runs!" FROM sync_runs WHERE organization_id = $1 AND audience_id = $2

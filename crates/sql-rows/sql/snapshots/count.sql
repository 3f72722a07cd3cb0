SELECT count(*) AS "snapshots!" FROM snapshots WHERE organization_id = $1 AND audience_id = $2

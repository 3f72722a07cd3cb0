SELECT count(*) + coalesce(
    (SELECT deleted_runs FROM audiences WHERE organization_id = $1 AND id = $2), 0) AS "runs!: i64"
FROM sync_runs WHERE organization_id = $1 AND audience_id = $2

-- Leased work was due when it was claimed, so one scan of what is due meets both.
SELECT organization_id AS "organization_id!", kind AS "kind!", id AS "id!", leased AS "leased!: i64"
FROM (
    SELECT organization_id, kind, id, due_at, token,
        lease_until IS NULL OR lease_until <= $1 AS is_waiting,
        count(*) FILTER (WHERE lease_until > $1) OVER (PARTITION BY organization_id) AS leased,
        (SELECT claimed_at FROM last_claims
         WHERE last_claims.organization_id = q.organization_id) AS claimed_at
    FROM work_queue q INDEXED BY work_queue_by_due WHERE due_at <= $1
)
WHERE is_waiting AND kind IN (SELECT value FROM json_each($2))
ORDER BY leased, claimed_at NULLS FIRST, due_at, token, id LIMIT 1

-- Organizations without a lease are asked in the order of their turns, and the first that has work to claim is
-- next; only if there is none are those compared that have leases, which are as many as there are slots at most.
WITH leased AS MATERIALIZED (
    SELECT organization_id, count(*) AS leased FROM work_queue INDEXED BY work_queue_leased
    WHERE lease_until > $1 GROUP BY organization_id
),
unleased AS MATERIALIZED (
    SELECT q.organization_id, q.kind, q.id, 0 AS leased
    FROM last_claims INDEXED BY last_claims_by_turn
    CROSS JOIN work_queue q ON q.organization_id = last_claims.organization_id AND (q.kind, q.id) = (
        SELECT w.kind, w.id FROM work_queue w INDEXED BY work_queue_by_turn
        WHERE w.organization_id = last_claims.organization_id AND w.due_at <= $1
            AND (w.lease_until IS NULL OR w.lease_until <= $1)
            AND w.kind IN (SELECT value FROM json_each($2))
        ORDER BY w.due_at, w.token, w.id LIMIT 1)
    WHERE last_claims.due_at <= $1 AND last_claims.organization_id NOT IN (SELECT organization_id FROM leased)
    ORDER BY last_claims.claimed_at, last_claims.due_at LIMIT 1
),
others AS (
    SELECT q.organization_id, q.kind, q.id, leased.leased
    FROM leased
    CROSS JOIN last_claims ON last_claims.organization_id = leased.organization_id
    CROSS JOIN work_queue q ON q.organization_id = leased.organization_id AND (q.kind, q.id) = (
        SELECT w.kind, w.id FROM work_queue w INDEXED BY work_queue_by_turn
        WHERE w.organization_id = leased.organization_id AND w.due_at <= $1
            AND (w.lease_until IS NULL OR w.lease_until <= $1)
            AND w.kind IN (SELECT value FROM json_each($2))
        ORDER BY w.due_at, w.token, w.id LIMIT 1)
    WHERE NOT EXISTS (SELECT 1 FROM unleased)
    ORDER BY leased.leased, last_claims.claimed_at, q.due_at, q.token, q.id LIMIT 1
)
SELECT organization_id AS "organization_id!: String", kind AS "kind!: String", id AS "id!: String",
    leased AS "leased!: i64"
FROM unleased
UNION ALL
SELECT organization_id, kind, id, leased FROM others

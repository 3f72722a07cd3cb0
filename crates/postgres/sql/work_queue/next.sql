-- Organizations without a lease are asked in the order of their turns, and the first that has work to claim is
-- next; only if there is none are those compared that have leases, which are as many as there are slots at most.
WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now),
leased AS MATERIALIZED (
    SELECT q.organization_id, count(*) AS leased FROM work_queue q
    WHERE q.is_leased AND q.lease_until > (SELECT now FROM t) GROUP BY q.organization_id
),
unleased AS MATERIALIZED (
    SELECT c.organization_id, w.kind, w.id, 0::bigint AS leased FROM last_claims c
    CROSS JOIN LATERAL (
        SELECT q.kind, q.id FROM work_queue q
        WHERE q.organization_id = c.organization_id AND q.due_at <= (SELECT now FROM t)
            AND (q.lease_until IS NULL OR q.lease_until <= (SELECT now FROM t)) AND q.kind = ANY($2)
        ORDER BY q.organization_id, q.due_at, q.token, q.id LIMIT 1
    ) w
    WHERE c.due_at <= (SELECT now FROM t)
        AND NOT EXISTS (SELECT FROM leased l WHERE l.organization_id = c.organization_id)
    ORDER BY c.claimed_at, c.due_at LIMIT 1
)
SELECT organization_id AS "organization_id!", kind AS "kind!", id AS "id!", leased AS "leased!" FROM unleased
UNION ALL
(SELECT l.organization_id, w.kind, w.id, l.leased FROM leased l
 JOIN last_claims c ON c.organization_id = l.organization_id
 CROSS JOIN LATERAL (
    SELECT q.kind, q.id, q.due_at, q.token FROM work_queue q
    WHERE q.organization_id = l.organization_id AND q.due_at <= (SELECT now FROM t)
        AND (q.lease_until IS NULL OR q.lease_until <= (SELECT now FROM t)) AND q.kind = ANY($2)
    ORDER BY q.organization_id, q.due_at, q.token, q.id LIMIT 1
 ) w
 WHERE NOT EXISTS (SELECT FROM unleased)
 ORDER BY l.leased, c.claimed_at, w.due_at, w.token, w.id LIMIT 1)

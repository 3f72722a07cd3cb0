-- Leased work was due when it was claimed, so one scan of what is due meets both.
WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now)
SELECT organization_id, kind, id, leased AS "leased!" FROM (
    SELECT q.organization_id, q.kind, q.id, q.due_at, q.token,
        q.lease_until IS NULL OR q.lease_until <= t.now AS is_waiting,
        count(*) FILTER (WHERE q.lease_until > t.now) OVER (PARTITION BY q.organization_id) AS leased,
        (SELECT claimed_at FROM last_claims WHERE organization_id = q.organization_id) AS claimed_at
    FROM t JOIN work_queue q ON q.due_at <= t.now
) q
WHERE is_waiting AND kind = ANY($2) ORDER BY leased, claimed_at NULLS FIRST, due_at, token, id LIMIT 1

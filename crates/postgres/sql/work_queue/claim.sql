WITH t AS MATERIALIZED (SELECT coalesce($4, clock_timestamp()) AS now),
due AS MATERIALIZED (
    SELECT q.lease_until IS NOT NULL AS abandoned FROM t
    JOIN work_queue q ON q.due_at <= t.now AND (q.lease_until IS NULL OR q.lease_until <= t.now)
    WHERE q.organization_id = $1 AND q.kind = $2 AND q.id = $3
    FOR UPDATE OF q
),
claimed AS (
    INSERT INTO last_claims AS c (organization_id, claimed_at, due_at) SELECT $1, t.now, t.now FROM t, due
    ON CONFLICT (organization_id) DO UPDATE
    SET claimed_at = excluded.claimed_at, due_at = coalesce(c.due_at, excluded.due_at)
)
UPDATE work_queue q SET token = q.token + 1, lease_until = t.now + make_interval(secs => $5),
    notify_at = t.now + make_interval(secs => $5), written_at = t.now
FROM t, due
WHERE q.organization_id = $1 AND q.kind = $2 AND q.id = $3
RETURNING q.token, due.abandoned AS "abandoned!"

WITH n AS MATERIALIZED (SELECT coalesce($5, clock_timestamp()) AS now),
t AS MATERIALIZED (SELECT now, coalesce($6, now) AS due FROM n)
UPDATE work_queue q SET lease_until = NULL, due_at = t.due,
    notify_at = CASE WHEN t.due <= t.now THEN t.now + make_interval(secs => $7) ELSE t.due END,
    written_at = t.now
FROM t
WHERE q.organization_id = $1 AND q.kind = $2 AND q.id = $3 AND q.token = $4
  AND q.lease_until IS NOT NULL
RETURNING t.due <= t.now AS "is_due!"

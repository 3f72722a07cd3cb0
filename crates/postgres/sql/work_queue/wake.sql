WITH t AS MATERIALIZED (SELECT coalesce($4, clock_timestamp()) AS now)
UPDATE work_queue q SET due_at = t.now, notify_at = t.now + make_interval(secs => $5), written_at = t.now
FROM t
WHERE q.organization_id = $1 AND q.kind = $2 AND q.id = $3 AND q.lease_until IS NULL AND q.due_at > t.now

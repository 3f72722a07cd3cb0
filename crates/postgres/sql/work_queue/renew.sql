WITH t AS MATERIALIZED (SELECT coalesce($5, clock_timestamp()) AS now)
UPDATE work_queue q SET lease_until = t.now + make_interval(secs => $6),
    notify_at = t.now + make_interval(secs => $6), written_at = t.now
FROM t
WHERE q.organization_id = $1 AND q.kind = $2 AND q.id = $3 AND q.token = $4
  AND q.lease_until > t.now

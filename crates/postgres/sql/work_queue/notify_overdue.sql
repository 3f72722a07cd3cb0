-- Rows that a worker is writing are passed over, and those for which another process is notifying
-- workers right now.
WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now),
overdue AS MATERIALIZED (
    SELECT q.organization_id, q.kind, q.id FROM t
    JOIN work_queue q ON q.notify_at <= t.now AND q.kind = ANY($4)
    ORDER BY q.notify_at LIMIT $2
    FOR UPDATE OF q SKIP LOCKED
)
UPDATE work_queue q SET notify_at = t.now + make_interval(secs => $3), written_at = t.now
FROM t, overdue
WHERE q.organization_id = overdue.organization_id AND q.kind = overdue.kind AND q.id = overdue.id
RETURNING q.organization_id, q.kind, q.id

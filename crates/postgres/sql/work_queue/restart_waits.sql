-- Of a clock that has been set back since: pauses are over, notifications due, leases begin anew.
WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now)
UPDATE work_queue q SET due_at = least(q.due_at, t.now), lease_until = t.now + (q.lease_until - q.written_at),
    notify_at = t.now + coalesce(q.lease_until - q.written_at, make_interval()), written_at = t.now
FROM t WHERE q.written_at > t.now + make_interval(secs => $2)

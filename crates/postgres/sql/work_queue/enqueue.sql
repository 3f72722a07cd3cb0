WITH t AS MATERIALIZED (SELECT coalesce($4, clock_timestamp()) AS now)
INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at, written_at)
SELECT $1, $2, $3, t.now, NULL, 0, t.now + make_interval(secs => $5), t.now FROM t

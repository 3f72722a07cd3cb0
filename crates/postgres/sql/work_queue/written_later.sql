WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) + make_interval(secs => $2) AS later)
SELECT EXISTS (SELECT 1 FROM t JOIN work_queue q ON q.written_at > t.later)
    OR EXISTS (SELECT 1 FROM t JOIN last_claims c ON c.claimed_at > t.later) AS "is_later!"

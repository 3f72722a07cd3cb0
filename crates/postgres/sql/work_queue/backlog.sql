WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now)
SELECT count(*) AS "work!" FROM t JOIN work_queue q ON q.due_at <= t.now

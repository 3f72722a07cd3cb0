-- Of very many that are due, those that have been due for longest.
SELECT organization_id AS "organization_id!" FROM (
    SELECT organization_id, due_at FROM schedules WHERE due_at <= $1 ORDER BY due_at LIMIT 10000
) AS due
GROUP BY organization_id ORDER BY min(due_at) LIMIT $2

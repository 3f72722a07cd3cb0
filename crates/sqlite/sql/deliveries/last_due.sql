SELECT d.consumer_id AS "consumer_id!", max(d.due_at) AS "due_at: fanfare_sql_rows::DbTimestamp"
FROM json_each($2) c
CROSS JOIN deliveries d ON d.organization_id = $1 AND d.consumer_id = c.value AND d.due_at IS NOT NULL
GROUP BY d.consumer_id

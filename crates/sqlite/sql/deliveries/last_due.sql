SELECT c.value AS "consumer_id!: String", (
    SELECT due_at FROM deliveries
    WHERE organization_id = $1 AND consumer_id = c.value AND due_at IS NOT NULL
    ORDER BY due_at DESC LIMIT 1) AS "due_at: fanfare_sql_rows::DbTimestamp"
FROM json_each($2) c

SELECT d.id, d.consumer_id AS "consumer_id!", d.attempts
FROM json_each($2) c
CROSS JOIN deliveries d INDEXED BY deliveries_pending_of_consumer
   ON d.organization_id = $1 AND d.consumer_id = c.value AND d.due_at IS NOT NULL
WHERE d.kind = 'CONTACT'
ORDER BY d.place

UPDATE deliveries SET due_at = $3
WHERE organization_id = $1 AND consumer_id >= $2 AND consumer_id <= $2 AND due_at < $3

SELECT id, place, kind, consumer_id, attempts, first_tried_at, payload
FROM deliveries WHERE organization_id = $1 AND due_at <= $2
ORDER BY due_at, place LIMIT $3

SELECT id, kind, status FROM deliveries
WHERE organization_id = $1 AND consumer_id >= $2 AND consumer_id <= $2
ORDER BY consumer_id, place LIMIT $3

SELECT due_at AS "due_at!" FROM deliveries
WHERE organization_id = $1 AND consumer_id >= $2 AND consumer_id <= $2 AND due_at IS NOT NULL AND place < $3
ORDER BY consumer_id DESC, due_at DESC LIMIT 1

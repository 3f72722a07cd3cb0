SELECT due_at AS "due_at!" FROM deliveries WHERE organization_id = $1 AND due_at >= $2 ORDER BY due_at LIMIT 1

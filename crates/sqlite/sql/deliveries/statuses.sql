SELECT d.id, d.kind, d.status, d.consumer_id FROM json_each($2) w
CROSS JOIN deliveries d ON d.organization_id = $1 AND d.id = w.value

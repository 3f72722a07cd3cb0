SELECT e.key FROM json_each($2) k
CROSS JOIN inbound_events e ON e.organization_id = $1 AND e.key = k.value

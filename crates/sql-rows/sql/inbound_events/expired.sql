SELECT received_at FROM inbound_events WHERE organization_id = $1 AND received_at < $2
ORDER BY received_at LIMIT 1 OFFSET $3

DELETE FROM inbound_events WHERE organization_id = $1 AND received_at < $2

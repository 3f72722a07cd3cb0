DELETE FROM inbound_events WHERE organization_id = $1 AND key = ANY($2)

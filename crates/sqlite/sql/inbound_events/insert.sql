INSERT INTO inbound_events (organization_id, key, received_at) SELECT $1, value, $3 FROM json_each($2)

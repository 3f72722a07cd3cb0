DELETE FROM inbound_events WHERE organization_id = $1 AND key IN (SELECT value FROM json_each($2))

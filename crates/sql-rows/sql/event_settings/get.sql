SELECT enabled, metrics FROM event_settings WHERE organization_id = $1

INSERT INTO event_settings (organization_id, enabled, metrics) VALUES ($1, $2, $3)
ON CONFLICT (organization_id) DO UPDATE SET enabled = excluded.enabled, metrics = excluded.metrics

INSERT INTO push_settings (organization_id, push_limit) VALUES ($1, $2)
ON CONFLICT (organization_id) DO UPDATE SET push_limit = excluded.push_limit

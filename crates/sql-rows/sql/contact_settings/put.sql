INSERT INTO contact_settings (organization_id, enabled, winner, create_profiles) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id) DO UPDATE SET
   enabled = excluded.enabled, winner = excluded.winner, create_profiles = excluded.create_profiles

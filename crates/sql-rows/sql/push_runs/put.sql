INSERT INTO push_runs (organization_id, id, audience_id, status, state) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organization_id, id) DO UPDATE SET status = excluded.status, state = excluded.state

INSERT INTO kept_lists (organization_id, audience_id, list_id, state) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, audience_id) DO UPDATE SET list_id = excluded.list_id, state = excluded.state

INSERT INTO search_segments (organization_id, last_id) VALUES ($1, $2)

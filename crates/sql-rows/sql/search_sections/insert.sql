INSERT INTO search_sections (organization_id, last_id) VALUES ($1, $2)

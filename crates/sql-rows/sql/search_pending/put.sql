INSERT INTO search_pending (organization_id, consumer_id) VALUES ($1, $2)
ON CONFLICT (organization_id, consumer_id) DO NOTHING

INSERT INTO outboxes AS o (organization_id, last_place) VALUES ($1, $2)
ON CONFLICT (organization_id) DO UPDATE SET last_place = o.last_place + excluded.last_place
RETURNING last_place

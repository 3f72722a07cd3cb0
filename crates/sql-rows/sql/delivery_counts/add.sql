INSERT INTO delivery_counts AS c (organization_id, kind, status, deliveries) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, kind, status) DO UPDATE SET deliveries = c.deliveries + excluded.deliveries

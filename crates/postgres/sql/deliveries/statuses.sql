SELECT d.id, d.kind, d.status, d.consumer_id
FROM unnest($2::text[]) AS w (id)
CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE organization_id = $1 AND id = w.id OFFSET 0) d

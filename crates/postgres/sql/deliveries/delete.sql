DELETE FROM deliveries WHERE organization_id = $1 AND id = ANY($2)

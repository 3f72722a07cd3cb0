SELECT id, kind FROM deliveries
WHERE organization_id = $1 AND status >= 'PENDING' AND status <= 'PENDING'
ORDER BY status, place LIMIT $2

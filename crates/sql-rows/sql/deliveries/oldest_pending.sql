SELECT created_at FROM deliveries
WHERE organization_id = $1 AND status >= 'PENDING' AND status <= 'PENDING' AND kind = $2
ORDER BY status, place LIMIT 1

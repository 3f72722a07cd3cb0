SELECT place, kind, status, created_at FROM deliveries
WHERE organization_id = $1 AND place > $2 ORDER BY place LIMIT $3

SELECT profile_id, consumer_id, standing, since, seen_at FROM list_ledger
WHERE organization_id = $1 AND open_at >= $2 AND list_id = $3 ORDER BY open_at LIMIT $4

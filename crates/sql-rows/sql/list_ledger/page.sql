SELECT profile_id, consumer_id, standing, since, seen_at FROM list_ledger
WHERE organization_id = $1 AND list_id = $2 AND profile_id > $3 ORDER BY profile_id LIMIT $4

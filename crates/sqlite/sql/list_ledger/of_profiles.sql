SELECT l.profile_id, l.consumer_id, l.standing, l.since, l.seen_at FROM json_each($3) p
CROSS JOIN list_ledger l ON l.organization_id = $1 AND l.list_id = $2 AND l.profile_id = p.value

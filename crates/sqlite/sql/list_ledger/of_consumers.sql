SELECT l.profile_id, l.consumer_id, l.standing, l.since, l.seen_at FROM json_each($3) c
CROSS JOIN list_ledger l INDEXED BY list_ledger_of_consumer
    ON l.organization_id = $1 AND l.list_id = $2 AND l.consumer_id = c.value

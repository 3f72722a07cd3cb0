SELECT l.profile_id, l.consumer_id, l.standing, l.since, l.seen_at FROM unnest($3::text[]) AS c (id)
CROSS JOIN LATERAL (
    SELECT * FROM list_ledger
    WHERE organization_id = $1 AND consumer_id >= c.id AND consumer_id <= c.id AND list_id = $2
    ORDER BY consumer_id OFFSET 0) l

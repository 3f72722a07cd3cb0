SELECT l.profile_id, l.consumer_id, l.standing, l.since, l.seen_at FROM unnest($3::text[]) AS p (id)
CROSS JOIN LATERAL (
    SELECT * FROM list_ledger
    WHERE organization_id = $1 AND list_id = $2 AND profile_id = p.id OFFSET 0) l

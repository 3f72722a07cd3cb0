SELECT s.profile_id AS "profile_id!", s.with_email AS "with_email!", s.joined_at
FROM unnest($3::bigint[]) AS n (number)
CROSS JOIN LATERAL (
    SELECT profiles, with_email, joined_at FROM run_seen_pages
    WHERE organization_id = $1 AND run_id = $2 AND number = n.number OFFSET 0) p
CROSS JOIN LATERAL unnest(p.profiles, p.with_email, p.joined_at) AS s (profile_id, with_email, joined_at)
WHERE s.profile_id = ANY($4)

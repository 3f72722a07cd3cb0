SELECT s.profile_id, s.with_email, s.joined_at FROM unnest($3::text[]) AS p (id)
CROSS JOIN LATERAL (
    SELECT * FROM run_seen_profiles
    WHERE organization_id = $1 AND run_id = $2 AND profile_id = p.id OFFSET 0) s

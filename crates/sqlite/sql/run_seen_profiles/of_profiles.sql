SELECT s.profile_id, s.with_email, s.joined_at FROM json_each($3) p
CROSS JOIN run_seen_profiles s
    ON s.organization_id = $1 AND s.run_id = $2 AND s.profile_id = p.value

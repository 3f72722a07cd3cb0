SELECT json_group_array(json_array(s.profile_id, json(iif(s.with_email, 'true', 'false')), s.joined_at))
   AS "rows!: String"
FROM json_each($3) p
CROSS JOIN run_seen_profiles s
    ON s.organization_id = $1 AND s.run_id = $2 AND s.profile_id = p.value

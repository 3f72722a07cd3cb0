SELECT json_group_array(json_array(c.id, c.email, c.phone, c.full_name, c.stamps, c.primary_profile, c.primary_updated,
   c.primary_source_id)) AS "rows!: String"
FROM (
   SELECT o.id FROM json_each($2) e
   CROSS JOIN consumers o ON o.organization_id = $1 AND o.email = e.value
   UNION
   SELECT l.consumer_id FROM json_each($3) p
   CROSS JOIN profile_links l ON l.organization_id = $1 AND l.profile_id = p.value
) k
CROSS JOIN consumers c ON c.organization_id = $1 AND c.id = k.id

SELECT c.id, c.email, c.phone, c.full_name, c.stamps, c.primary_profile, c.primary_updated,
    c.primary_source_id, c.created_at, c.created_by, c.updated_at, c.updated_by,
    l.changed_at AS "primary_changed_at?"
FROM (
   SELECT id FROM consumers WHERE organization_id = $1 AND email = $2
   UNION ALL
   SELECT id FROM consumers WHERE organization_id = $1 AND phone = $3
   UNION ALL
   SELECT consumer_id FROM profile_links
   WHERE organization_id = $1 AND profile_id = $4
) f
CROSS JOIN consumers c ON c.organization_id = $1 AND c.id = f.id
LEFT JOIN profile_links l
  ON l.organization_id = $1 AND l.profile_id = c.primary_profile
ORDER BY c.id LIMIT 100

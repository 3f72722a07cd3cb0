SELECT c.id, c.email, c.phone, c.full_name, c.stamps, c.primary_profile, c.primary_updated,
    c.primary_source_id, c.created_at, c.created_by, c.updated_at, c.updated_by,
    l.changed_at AS "primary_changed_at?"
FROM (
   SELECT id FROM consumers WHERE organization_id = $1 AND email = $2
   UNION ALL
   (SELECT id FROM consumers WHERE organization_id = $1 AND phone = $3
    ORDER BY id LIMIT 100)
   UNION ALL
   SELECT consumer_id FROM profile_links
   WHERE organization_id = $1 AND profile_id = $4
) f
CROSS JOIN LATERAL (
   SELECT * FROM consumers WHERE organization_id = $1 AND id = f.id OFFSET 0) c
LEFT JOIN LATERAL (
   SELECT changed_at FROM profile_links
   WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
ORDER BY c.id LIMIT 100

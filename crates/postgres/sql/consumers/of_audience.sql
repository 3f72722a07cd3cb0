SELECT c.id, c.email, c.phone, c.full_name, c.stamps, c.primary_profile, c.primary_updated,
    c.primary_source_id, c.created_at, c.created_by, c.updated_at, c.updated_by,
    l.changed_at AS "primary_changed_at?"
FROM audience_list_memberships m
CROSS JOIN LATERAL (
   SELECT * FROM consumers
   WHERE organization_id = $1 AND id = m.consumer_id OFFSET 0) c
LEFT JOIN LATERAL (
   SELECT changed_at FROM profile_links
   WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
WHERE m.organization_id = $1 AND m.audience_id = $7 AND m.consumer_id > $2
  AND ($3::text IS NULL OR c.email ILIKE $3 OR c.phone ILIKE $3
       OR c.full_name ILIKE $3)
  AND ($4::timestamptz IS NULL OR c.created_at > $4)
  AND ($5::timestamptz IS NULL OR c.created_at < $5)
ORDER BY m.consumer_id LIMIT $6

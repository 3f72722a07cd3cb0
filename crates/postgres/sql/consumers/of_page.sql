SELECT c.id, c.email, c.phone, c.full_name, c.stamps, c.primary_profile, c.primary_updated,
    c.primary_source_id, c.created_at, c.created_by, c.updated_at, c.updated_by,
    NULL::timestamptz AS primary_changed_at
FROM (
   SELECT o.id FROM unnest($2::text[]) AS e (email)
   CROSS JOIN LATERAL (
       SELECT id FROM consumers WHERE organization_id = $1 AND email = e.email OFFSET 0) o
   UNION
   SELECT l.consumer_id FROM unnest($3::text[]) AS p (id)
   CROSS JOIN LATERAL (
       SELECT consumer_id FROM profile_links
       WHERE organization_id = $1 AND profile_id = p.id OFFSET 0) l
) k
CROSS JOIN LATERAL (
   SELECT * FROM consumers WHERE organization_id = $1 AND id = k.id OFFSET 0) c

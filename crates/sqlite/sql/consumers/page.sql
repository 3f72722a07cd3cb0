SELECT c.id, c.email, c.phone, c.full_name, c.stamps, c.primary_profile, c.primary_updated,
    c.primary_source_id, c.created_at, c.created_by, c.updated_at, c.updated_by,
    l.changed_at AS "primary_changed_at?"
FROM consumers c LEFT JOIN profile_links l
  ON l.organization_id = $1 AND l.profile_id = c.primary_profile
WHERE c.organization_id = $1 AND c.id > $2
  AND ($3 IS NULL OR c.email LIKE $3 ESCAPE '\' OR c.phone LIKE $3 ESCAPE '\'
       OR c.full_name LIKE $3 ESCAPE '\')
  AND ($4 IS NULL OR c.created_at > $4) AND ($5 IS NULL OR c.created_at < $5)
ORDER BY c.id LIMIT $6

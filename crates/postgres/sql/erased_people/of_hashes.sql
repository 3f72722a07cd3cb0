SELECT h.hash AS "hash!"
FROM unnest($2::text[]) AS h (hash)
CROSS JOIN LATERAL (
   SELECT FROM erased_people WHERE organization_id = $1 AND hash = h.hash OFFSET 0) e

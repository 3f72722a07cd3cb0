SELECT p.consumer_id
FROM search_pending p
CROSS JOIN consumers c ON c.organization_id = $1 AND c.id = p.consumer_id
WHERE p.organization_id = $1 AND p.consumer_id > $2 AND p.consumer_id <= $3
  AND c.search_text LIKE $4 ESCAPE '\'
ORDER BY p.consumer_id

SELECT p.consumer_id
FROM search_pending p
CROSS JOIN LATERAL (
   SELECT FROM consumers
   WHERE organization_id = $1 AND id = p.consumer_id AND search_text LIKE $4 OFFSET 0) c
WHERE p.organization_id = $1 AND p.consumer_id > $2 AND p.consumer_id <= $3
ORDER BY p.consumer_id

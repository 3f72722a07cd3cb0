SELECT id FROM (
   SELECT id, search_text FROM consumers WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3) c
WHERE search_text LIKE $4 ESCAPE '\'
ORDER BY id

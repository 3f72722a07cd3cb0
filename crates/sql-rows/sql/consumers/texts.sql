SELECT id, search_text FROM consumers
WHERE organization_id = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4

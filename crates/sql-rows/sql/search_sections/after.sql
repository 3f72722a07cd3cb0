SELECT last_id FROM search_sections WHERE organization_id = $1 AND last_id > $2 ORDER BY last_id LIMIT $3

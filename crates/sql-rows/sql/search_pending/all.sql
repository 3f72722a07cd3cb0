SELECT consumer_id FROM search_pending WHERE organization_id = $1 AND consumer_id > $2
ORDER BY consumer_id LIMIT $3

SELECT number FROM run_seen_pages
WHERE organization_id = $1 AND run_id = $2 AND number > $3
ORDER BY number LIMIT 2 OFFSET $4

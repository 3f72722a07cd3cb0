SELECT number FROM run_seen_pages
WHERE organization_id = $1 AND run_id = $2
ORDER BY number DESC LIMIT 1

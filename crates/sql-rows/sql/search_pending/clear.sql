DELETE FROM search_pending WHERE organization_id = $1 AND consumer_id > $2

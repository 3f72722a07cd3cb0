DELETE FROM search_segments WHERE organization_id = $1 AND last_id = $2

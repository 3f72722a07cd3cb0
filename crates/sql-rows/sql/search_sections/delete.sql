DELETE FROM search_sections WHERE organization_id = $1 AND last_id = $2

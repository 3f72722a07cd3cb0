DELETE FROM search_places WHERE organization_id = $1 AND section = $2

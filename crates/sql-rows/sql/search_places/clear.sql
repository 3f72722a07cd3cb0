DELETE FROM search_places WHERE organization_id = $1 AND segment > $2

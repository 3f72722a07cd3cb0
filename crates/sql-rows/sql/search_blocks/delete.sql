DELETE FROM search_blocks WHERE organization_id = $1 AND section = $2

SELECT history_from FROM audiences WHERE organization_id = $1 AND id = $2

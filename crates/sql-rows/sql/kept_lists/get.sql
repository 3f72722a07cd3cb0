SELECT state FROM kept_lists WHERE organization_id = $1 AND audience_id = $2

UPDATE sync_sources SET archived = true, updated_at = $3
WHERE organization_id = $1 AND id = $2

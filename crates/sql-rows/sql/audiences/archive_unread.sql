UPDATE audiences SET archived = true, updated_at = $3, updated_by = $4
WHERE organization_id = $1 AND id = $2 AND archived = false
RETURNING source_id

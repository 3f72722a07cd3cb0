UPDATE audiences SET deleted_runs = deleted_runs + 1
WHERE organization_id = $1 AND id = (SELECT audience_id FROM sync_runs WHERE organization_id = $1 AND id = $2)

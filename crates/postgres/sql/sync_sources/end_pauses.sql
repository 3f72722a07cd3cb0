UPDATE sync_sources SET paused_by = NULL WHERE organization_id = $1 AND paused_by = ANY($2)

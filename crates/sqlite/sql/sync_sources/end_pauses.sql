UPDATE sync_sources SET paused_by = NULL
WHERE organization_id = $1 AND id > $2 AND paused_by IN (SELECT value FROM json_each($3))

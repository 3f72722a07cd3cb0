SELECT id, paused_by AS "paused_by!" FROM sync_sources
WHERE organization_id = $1 AND id > $2 AND paused_by IS NOT NULL

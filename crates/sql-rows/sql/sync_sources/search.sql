SELECT id, sync_source, sync_source_id, audience_id, sync_status, last_synced_at, source_data,
    created_at, created_by, updated_at, archived, members_at_success, removals_held,
    last_full_pass_at, paused_by, watermarks, full_pass_called_for_at
FROM sync_sources WHERE organization_id = $1 AND id > $2 AND NOT archived AND sync_source <> 'fanfare:static'
    AND (CAST($3 AS TEXT) IS NULL OR sync_source = $3)
    AND (CAST($4 AS TEXT) IS NULL OR sync_source_id = $4)
    AND (CAST($5 AS TEXT) IS NULL OR sync_status = $5)
ORDER BY id LIMIT $6

SELECT id, sync_source, sync_source_id, audience_id, sync_status, last_synced_at, source_data,
    created_at, created_by, updated_at, archived, members_at_success, removals_held,
    last_full_pass_at, paused_by, watermarks, full_pass_called_for_at
FROM sync_sources WHERE organization_id = $1 AND id = $2 AND sync_source <> 'fanfare:static'

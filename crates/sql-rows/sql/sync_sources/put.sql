INSERT INTO sync_sources AS s
    (organization_id, id, sync_source, sync_source_id, audience_id, sync_status, last_synced_at,
     source_data, created_at, created_by, updated_at, archived, members_at_success, removals_held,
     last_full_pass_at, paused_by, watermarks)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (organization_id, id) DO UPDATE SET
    sync_source = excluded.sync_source, sync_source_id = excluded.sync_source_id,
    audience_id = excluded.audience_id, sync_status = excluded.sync_status,
    last_synced_at = excluded.last_synced_at, source_data = excluded.source_data,
    updated_at = excluded.updated_at, archived = excluded.archived,
    members_at_success = excluded.members_at_success, removals_held = excluded.removals_held,
    last_full_pass_at = excluded.last_full_pass_at, paused_by = excluded.paused_by,
    watermarks = excluded.watermarks
WHERE
    (s.sync_source, s.sync_source_id, s.audience_id, s.sync_status, s.last_synced_at,
     s.source_data, s.updated_at, s.archived, s.members_at_success, s.removals_held,
     s.last_full_pass_at, s.paused_by, s.watermarks)
    IS DISTINCT FROM
    (excluded.sync_source, excluded.sync_source_id, excluded.audience_id, excluded.sync_status,
     excluded.last_synced_at, excluded.source_data, excluded.updated_at, excluded.archived,
     excluded.members_at_success, excluded.removals_held, excluded.last_full_pass_at,
     excluded.paused_by, excluded.watermarks)

INSERT INTO sync_sources
    (organization_id, id, sync_source, sync_source_id, audience_id, sync_status, source_data, created_at, created_by, archived)
VALUES ($1, $2, 'fanfare:static', $2, $2, 'SUCCESS', '{}', $3, $4, $5)
ON CONFLICT (organization_id, id) DO UPDATE SET archived = excluded.archived

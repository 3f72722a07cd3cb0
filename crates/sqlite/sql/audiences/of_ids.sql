SELECT id, source_id, name, named_by_hand, description, icon_name, metadata, group_id, group_name,
    group_type, last_refreshed_at, refresh_interval_seconds, created_at, created_by, updated_at,
    updated_by, archived
FROM audiences WHERE organization_id = $1 AND id IN (SELECT value FROM json_each($2))

INSERT INTO audiences AS a
    (organization_id, id, source_id, name, named_by_hand, description, icon_name, metadata,
     group_id, group_name, group_type, last_refreshed_at, refresh_interval_seconds, created_at,
     created_by, updated_at, updated_by, archived)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (organization_id, id) DO UPDATE SET
    source_id = excluded.source_id, name = excluded.name, named_by_hand = excluded.named_by_hand,
    description = excluded.description, icon_name = excluded.icon_name,
    metadata = excluded.metadata, group_id = excluded.group_id, group_name = excluded.group_name,
    group_type = excluded.group_type, last_refreshed_at = excluded.last_refreshed_at,
    refresh_interval_seconds = excluded.refresh_interval_seconds, updated_at = excluded.updated_at,
    updated_by = excluded.updated_by, archived = excluded.archived
WHERE
    (a.source_id, a.name, a.named_by_hand, a.description, a.icon_name, a.metadata, a.group_id,
     a.group_name, a.group_type, a.last_refreshed_at, a.refresh_interval_seconds, a.updated_at,
     a.updated_by, a.archived)
    IS DISTINCT FROM
    (excluded.source_id, excluded.name, excluded.named_by_hand, excluded.description,
     excluded.icon_name, excluded.metadata, excluded.group_id, excluded.group_name,
     excluded.group_type, excluded.last_refreshed_at, excluded.refresh_interval_seconds,
     excluded.updated_at, excluded.updated_by, excluded.archived)

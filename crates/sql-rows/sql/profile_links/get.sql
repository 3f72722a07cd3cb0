SELECT source_id, profile_id, changed_at, created_at, updated_at
FROM profile_links WHERE organization_id = $1 AND source_id >= $2 AND source_id <= $2
ORDER BY source_id

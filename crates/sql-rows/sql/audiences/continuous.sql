SELECT id, source_id, refresh_interval_seconds AS "interval_seconds!" FROM audiences
WHERE organization_id = $1 AND id > $2 AND refresh_interval_seconds IS NOT NULL AND NOT archived

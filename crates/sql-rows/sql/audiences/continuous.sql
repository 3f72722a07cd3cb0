SELECT a.id, a.refresh_interval_seconds AS "interval_seconds!", s.paused_by FROM audiences a
JOIN sync_sources s ON s.organization_id = a.organization_id AND s.id = a.source_id
WHERE a.organization_id = $1 AND a.id > $2 AND a.refresh_interval_seconds IS NOT NULL AND NOT a.archived
ORDER BY a.id

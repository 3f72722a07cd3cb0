UPDATE sync_sources SET watermarks = NULL
WHERE organization_id = $1 AND watermarks IS NOT NULL
  AND id = (SELECT source_id FROM audiences WHERE organization_id = $1 AND id = $2)

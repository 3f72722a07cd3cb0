UPDATE sync_sources SET full_pass_called_for_at = $3
WHERE organization_id = $1
  AND id = (SELECT source_id FROM audiences WHERE organization_id = $1 AND id = $2)

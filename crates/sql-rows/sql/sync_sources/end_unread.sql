UPDATE sync_sources SET sync_status = 'FAILED', updated_at = $3
WHERE organization_id = $1 AND id = $2

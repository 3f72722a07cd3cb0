DELETE FROM snapshots WHERE organization_id = $1 AND audience_id = $2 AND id = $3

DELETE FROM consumers WHERE organization_id = $1 AND id = $2

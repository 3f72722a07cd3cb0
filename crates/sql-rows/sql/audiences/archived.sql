SELECT id FROM audiences
WHERE organization_id = $1 AND id > $2 AND archived AND updated_at < $3

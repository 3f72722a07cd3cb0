UPDATE erasure_keys SET master_key_version = $4, sealed_key = $5
WHERE organization_id = $1 AND master_key_version = $2 AND sealed_key = $3

INSERT INTO erasure_keys (organization_id, master_key_version, sealed_key) VALUES ($1, $2, $3)

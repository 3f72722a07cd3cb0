SELECT master_key_version, sealed_key FROM erasure_keys WHERE organization_id = $1

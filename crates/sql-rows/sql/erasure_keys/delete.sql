DELETE FROM erasure_keys WHERE organization_id = $1

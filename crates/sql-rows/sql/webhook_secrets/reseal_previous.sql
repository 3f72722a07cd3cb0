UPDATE webhook_secrets SET previous_master_key_version = $4, previous_sealed_secret = $5
WHERE organization_id = $1 AND previous_master_key_version = $2 AND previous_sealed_secret = $3

UPDATE webhook_secrets SET master_key_version = $4, sealed_secret = $5
WHERE organization_id = $1 AND master_key_version = $2 AND sealed_secret = $3

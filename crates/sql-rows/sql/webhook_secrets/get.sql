SELECT master_key_version, sealed_secret, previous_master_key_version, previous_sealed_secret, previous_until
FROM webhook_secrets WHERE organization_id = $1

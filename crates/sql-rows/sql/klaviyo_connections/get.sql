SELECT master_key_version, sealed_key, generation, last4, account_id, status, verified_at,
    missing_scopes, message
FROM klaviyo_connections WHERE organization_id = $1

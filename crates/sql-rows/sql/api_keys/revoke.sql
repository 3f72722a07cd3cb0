UPDATE api_keys SET revoked_at = $3
WHERE organization_id = $1 AND id = $2 AND revoked_at IS NULL

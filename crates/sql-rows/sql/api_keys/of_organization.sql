SELECT id, organization_id, role, kind, hash, created_at, revoked_at
FROM api_keys WHERE organization_id = $1 ORDER BY id

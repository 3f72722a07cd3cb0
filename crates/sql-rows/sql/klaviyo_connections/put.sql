INSERT INTO klaviyo_connections AS c
    (organization_id, master_key_version, sealed_key, last4, account_id, status, verified_at,
     missing_scopes, message)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (organization_id) DO UPDATE SET
    master_key_version = excluded.master_key_version, sealed_key = excluded.sealed_key,
    generation = c.generation + CASE WHEN c.sealed_key <> excluded.sealed_key THEN 1 ELSE 0 END,
    last4 = excluded.last4, account_id = excluded.account_id, status = excluded.status,
    verified_at = excluded.verified_at, missing_scopes = excluded.missing_scopes,
    message = excluded.message
WHERE
    (c.master_key_version, c.sealed_key, c.last4, c.account_id, c.status, c.verified_at,
     c.missing_scopes, c.message)
    IS DISTINCT FROM
    (excluded.master_key_version, excluded.sealed_key, excluded.last4, excluded.account_id,
     excluded.status, excluded.verified_at, excluded.missing_scopes, excluded.message)

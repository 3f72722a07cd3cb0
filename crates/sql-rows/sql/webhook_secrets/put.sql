INSERT INTO webhook_secrets
    (organization_id, master_key_version, sealed_secret, previous_master_key_version, previous_sealed_secret, previous_until)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organization_id) DO UPDATE SET
    master_key_version = excluded.master_key_version, sealed_secret = excluded.sealed_secret,
    previous_master_key_version = excluded.previous_master_key_version,
    previous_sealed_secret = excluded.previous_sealed_secret, previous_until = excluded.previous_until

INSERT INTO klaviyo_connections (organization_id, master_key_version, sealed_key, last4, status, verified_at,
    missing_scopes, generation)
VALUES ('org_b', 1, x'01', 'abcd', 'ERROR', 1700000000000000, '[]', 4);

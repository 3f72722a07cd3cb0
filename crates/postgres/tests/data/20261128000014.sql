INSERT INTO klaviyo_connections (organization_id, master_key_version, sealed_key, last4, status, verified_at,
    missing_scopes, generation)
VALUES ('org_b', 1, '\x01', 'abcd', 'ERROR', '2023-11-14 22:13:20Z', '{}', 4);

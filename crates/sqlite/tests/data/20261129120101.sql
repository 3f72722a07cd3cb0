-- As a program that makes incremental passes.

UPDATE sync_sources SET watermarks =
    '{"joinedUntil": 1700000000000000, "fullPassBeganAt": 1700000000000000, "profiles": 195}',
    full_pass_called_for_at = 1699999999000000
WHERE organization_id = 'org_a' AND audience_id = 'aud_a';

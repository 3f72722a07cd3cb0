-- As a program that makes incremental passes.

UPDATE sync_sources SET watermarks =
    '{"joinedUntil": 1700000000000000, "fullPassBeganAt": 1700000000000000, "profiles": 195}',
    full_pass_called_for_at = '2023-11-14T22:13:19Z'
WHERE organization_id = 'org_a' AND audience_id = 'aud_a';

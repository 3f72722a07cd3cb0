-- As a program that reads the changes of an account's profiles.

UPDATE klaviyo_connections SET changes_began_at = '2023-11-14T22:13:20Z', changes_next_at = '2023-11-14T22:28:20Z',
    changes_reader = 'run_b'
WHERE organization_id = 'org_a';

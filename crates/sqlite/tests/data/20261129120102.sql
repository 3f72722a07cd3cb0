-- As a program that reads the changes of an account's profiles.

UPDATE klaviyo_connections SET changes_began_at = 1700000000000000, changes_next_at = 1700000900000000,
    changes_reader = 'run_b'
WHERE organization_id = 'org_a';

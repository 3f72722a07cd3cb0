INSERT INTO ended_memberships (organization_id, audience_id, consumer_id, ended_at, began_at, joined_by, left_by)
VALUES ('org_a', 'aud_a', 'cons_b', 1800000000000000, 1700000000000000, 'run_a', 'run_b');

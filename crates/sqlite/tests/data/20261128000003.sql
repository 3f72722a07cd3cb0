INSERT INTO run_seen_profiles (organization_id, run_id, profile_id, with_email, joined_at)
VALUES ('org_a', 'run_b', 'p2', 0, NULL);

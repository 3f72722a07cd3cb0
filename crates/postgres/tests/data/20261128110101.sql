INSERT INTO check_counts (organization_id, minute, taken, granted) VALUES ('org_a', 28333333, 1000, 32);

-- As a program that does not know the file beside the store.

INSERT INTO check_counts (organization_id, minute, taken, granted) VALUES ('org_a', 28333333, 1000, 32);

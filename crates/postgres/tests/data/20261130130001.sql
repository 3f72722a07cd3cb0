-- As a later program, which keeps what a run has seen in pages.
INSERT INTO run_seen_pages (organization_id, run_id, number, profiles, with_email, joined_at)
VALUES ('org_a', 'run_b', 1, '{p7,p8}', '{true,false}', '{1970-01-01 00:00:07+00,NULL}');

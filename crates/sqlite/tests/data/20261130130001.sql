-- As a later program, which keeps what a run has seen in pages.
INSERT INTO run_seen_pages (organization_id, run_id, number, profiles)
VALUES ('org_a', 'run_b', 1, '[["p7",true,7000000],["p8",false,null]]');

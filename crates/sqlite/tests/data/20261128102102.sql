-- As a program that puts an organization with its first work into the order of turns.

INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
VALUES ('org_d', 'PULL', 'run_d', 4102444800000000, NULL, 0, 4102444800000000);
INSERT INTO last_claims (organization_id, claimed_at, due_at) VALUES ('org_d', 0, 4102444800000000);

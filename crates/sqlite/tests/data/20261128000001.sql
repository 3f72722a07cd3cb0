-- Queued by a program that knows the queue of due work.

INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
VALUES ('org_b', 'PULL', 'run_c', 4102444800000000, NULL, 2, 4102444800000000);
INSERT INTO last_claims (organization_id, claimed_at) VALUES ('org_b', 1700000000000000);

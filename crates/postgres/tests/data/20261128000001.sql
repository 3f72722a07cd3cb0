-- Queued by a program that knows the queue of due work.

INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
VALUES ('org_b', 'PULL', 'run_c', '2100-01-01 00:00:00Z', NULL, 2, '2100-01-01 00:00:00Z');
INSERT INTO last_claims (organization_id, claimed_at) VALUES ('org_b', '2023-11-14 22:13:20Z');

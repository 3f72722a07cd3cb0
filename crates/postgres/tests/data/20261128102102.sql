-- As a program that puts an organization with its first work into the order of turns.

INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
VALUES ('org_d', 'PULL', 'run_d', '2100-01-01 00:00:00Z', NULL, 0, '2100-01-01 00:00:00Z');
INSERT INTO last_claims (organization_id, claimed_at, due_at) VALUES ('org_d', 'epoch', '2100-01-01 00:00:00Z');

-- A place that was written before the clock was set back by centuries.

INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at, written_at)
VALUES ('org_c', 'PULL', 'run_w', '2200-01-01 00:00:00Z', NULL, 1, '2200-01-01 00:00:00Z', '2199-12-31 23:59:50Z');
INSERT INTO quota_buckets (account, endpoint, burst_limit, steady_limit, burst_since, burst_used,
    steady_since, steady_used, blocked_until, blocked_at)
VALUES ('account:WaItEd', 'lists', 75, 750, '2023-11-14 22:13:20Z', 3, '2023-11-14 22:13:20Z', 30, '2100-01-01 00:00:00Z', '2023-11-14 22:13:20Z');

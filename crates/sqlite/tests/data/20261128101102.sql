-- A place that was written before the clock was set back by centuries.

INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at, written_at)
VALUES ('org_c', 'PULL', 'run_w', 7258118400000000, NULL, 1, 7258118400000000, 7258118390000000);
INSERT INTO quota_buckets (account, endpoint, burst_limit, steady_limit, burst_since, burst_used,
    steady_since, steady_used, blocked_until, blocked_at)
VALUES ('account:WaItEd', 'lists', 75, 750, 1700000000000000, 3, 1700000000000000, 30, 4102444800000000, 1700000000000000);

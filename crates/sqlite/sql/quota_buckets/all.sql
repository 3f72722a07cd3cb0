SELECT account, endpoint, burst_limit, steady_limit, burst_since, burst_used, steady_since,
    steady_used, blocked_until, blocked_at
FROM quota_buckets

INSERT INTO quota_buckets (account, endpoint, burst_limit, steady_limit, burst_since, burst_used,
    steady_since, steady_used, blocked_until, blocked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (account, endpoint) DO UPDATE SET
    burst_limit = excluded.burst_limit, steady_limit = excluded.steady_limit,
    burst_since = excluded.burst_since, burst_used = excluded.burst_used,
    steady_since = excluded.steady_since, steady_used = excluded.steady_used,
    blocked_until = excluded.blocked_until, blocked_at = excluded.blocked_at

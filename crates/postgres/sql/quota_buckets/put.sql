UPDATE quota_buckets SET burst_limit = $3, steady_limit = $4, burst_since = $5,
    burst_used = $6, steady_since = $7, steady_used = $8, blocked_until = $9, blocked_at = $10
WHERE account = $1 AND endpoint = $2

DELETE FROM quota_buckets
WHERE steady_since < $1 AND burst_since < $1 AND (blocked_until IS NULL OR blocked_until < $1)
  AND (account, endpoint) IN (
    SELECT account, endpoint FROM quota_buckets
    WHERE steady_since < $1 AND burst_since < $1 AND (blocked_until IS NULL OR blocked_until < $1)
    LIMIT $2)

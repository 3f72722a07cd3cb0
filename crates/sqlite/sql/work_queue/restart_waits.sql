-- Of a clock that has been set back since: pauses are over, notifications due, leases begin anew.
UPDATE work_queue SET due_at = min(due_at, $1), lease_until = $1 + (lease_until - written_at),
    notify_at = $1 + coalesce(lease_until - written_at, 0), written_at = $1
WHERE written_at > $1 + $2

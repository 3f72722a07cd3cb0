UPDATE work_queue SET token = token + 1, lease_until = $4 + $5, notify_at = $4 + $5, written_at = $4
WHERE organization_id = $1 AND kind = $2 AND id = $3

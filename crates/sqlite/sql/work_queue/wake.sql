UPDATE work_queue SET due_at = $4, notify_at = $4 + $5, written_at = $4
WHERE organization_id = $1 AND kind = $2 AND id = $3 AND lease_until IS NULL AND due_at > $4

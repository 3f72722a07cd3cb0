UPDATE work_queue SET lease_until = $5 + $6, notify_at = $5 + $6, written_at = $5
WHERE organization_id = $1 AND kind = $2 AND id = $3 AND token = $4 AND lease_until > $5

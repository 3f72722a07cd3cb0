SELECT audience_id, due_at FROM schedules WHERE organization_id = $1 AND due_at <= $2
ORDER BY due_at, audience_id LIMIT $3

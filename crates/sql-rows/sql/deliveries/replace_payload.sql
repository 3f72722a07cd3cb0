UPDATE deliveries SET payload = $3, due_at = $4 WHERE organization_id = $1 AND id = $2

UPDATE deliveries SET status = 'SENT', sent_at = $3, due_at = NULL, payload = NULL, code = $4
WHERE organization_id = $1 AND id = $2

UPDATE deliveries SET status = 'SENT', sent_at = $3, due_at = NULL, payload = NULL, code = NULL
WHERE organization_id = $1 AND id IN (SELECT value FROM json_each($2))

UPDATE deliveries SET status = 'FAILED', due_at = NULL, code = $3, detail = $4
WHERE organization_id = $1 AND id = $2

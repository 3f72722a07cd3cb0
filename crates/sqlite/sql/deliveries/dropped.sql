UPDATE deliveries SET status = 'DROPPED', due_at = NULL, payload = NULL, code = $3
WHERE organization_id = $1 AND id IN (SELECT value FROM json_each($2))

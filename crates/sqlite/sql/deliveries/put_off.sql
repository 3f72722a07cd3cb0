UPDATE deliveries SET due_at = $3
WHERE organization_id = $1 AND due_at < $3 AND id IN (SELECT value FROM json_each($2))

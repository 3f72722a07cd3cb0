UPDATE deliveries SET code = $3
WHERE organization_id = $1 AND status = 'SENT' AND id IN (SELECT value FROM json_each($2))

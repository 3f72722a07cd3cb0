UPDATE deliveries SET due_at = CASE WHEN due_at < $3 THEN $3 ELSE due_at END WHERE organization_id = $1 AND id = $2

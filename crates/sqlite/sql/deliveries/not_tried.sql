UPDATE deliveries SET attempts = attempts - 1,
    first_tried_at = CASE WHEN attempts > 1 THEN first_tried_at END
WHERE organization_id = $1 AND id IN (SELECT value FROM json_each($2))

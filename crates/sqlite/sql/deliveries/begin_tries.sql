UPDATE deliveries SET attempts = attempts + 1, first_tried_at = coalesce(first_tried_at, $3)
WHERE organization_id = $1 AND id IN (SELECT value FROM json_each($2))

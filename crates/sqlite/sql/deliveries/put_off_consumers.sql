UPDATE deliveries SET due_at = $3
WHERE organization_id = $1 AND id IN (
    SELECT d.id FROM json_each($2) w
    CROSS JOIN deliveries d ON d.organization_id = $1 AND d.consumer_id = w.value AND d.due_at < $3
)

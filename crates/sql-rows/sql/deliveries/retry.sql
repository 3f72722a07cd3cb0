UPDATE deliveries
SET status = 'PENDING', due_at = $3, attempts = 0, first_tried_at = NULL, code = NULL, detail = NULL
WHERE organization_id = $1 AND id = $2

DELETE FROM deliveries
WHERE organization_id = $1 AND place > $2 AND place <= $3 AND due_at IS NULL AND created_at < $4

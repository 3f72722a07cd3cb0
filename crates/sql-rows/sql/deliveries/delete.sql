DELETE FROM deliveries
WHERE organization_id = $1 AND place > $2 AND place <= $3 AND status <> 'PENDING' AND created_at < $4

UPDATE work_queue SET lease_until = NULL, due_at = coalesce($6, $5),
    notify_at = iif(coalesce($6, $5) <= $5, $5 + $7, $6), written_at = $5
WHERE organization_id = $1 AND kind = $2 AND id = $3 AND token = $4 AND lease_until IS NOT NULL
RETURNING due_at <= $5 AS "is_due!: bool"

UPDATE work_queue SET notify_at = $1 + $3, written_at = $1
WHERE (organization_id, kind, id) IN (
    SELECT organization_id, kind, id FROM work_queue
    WHERE notify_at <= $1 AND kind IN (SELECT value FROM json_each($4))
    ORDER BY notify_at LIMIT $2)
RETURNING organization_id, kind, id

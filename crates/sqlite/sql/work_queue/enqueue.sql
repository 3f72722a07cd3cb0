INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at, written_at)
VALUES ($1, $2, $3, $4, NULL, 0, $4 + $5, $4)

INSERT INTO schedules (organization_id, audience_id, due_at) VALUES ($1, $2, $3)
ON CONFLICT (organization_id, audience_id) DO UPDATE SET due_at = excluded.due_at

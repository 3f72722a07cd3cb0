INSERT INTO last_claims (organization_id, claimed_at, due_at) VALUES ($1, 0, $2)
ON CONFLICT (organization_id) DO UPDATE SET due_at = excluded.due_at
WHERE due_at IS NULL OR due_at > excluded.due_at

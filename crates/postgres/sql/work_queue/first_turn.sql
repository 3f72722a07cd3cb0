INSERT INTO last_claims AS c (organization_id, claimed_at, due_at)
VALUES ($1, timestamptz 'epoch', coalesce($2, clock_timestamp()))
ON CONFLICT (organization_id) DO UPDATE SET due_at = excluded.due_at
WHERE c.due_at IS NULL OR c.due_at > excluded.due_at

INSERT INTO last_claims (organization_id, claimed_at, due_at) VALUES ($1, $2, $2)
ON CONFLICT (organization_id) DO UPDATE SET claimed_at = excluded.claimed_at,
    due_at = coalesce(due_at, excluded.due_at)

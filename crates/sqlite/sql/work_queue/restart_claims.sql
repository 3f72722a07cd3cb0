-- A turn may be stored too early, and never too late.
UPDATE last_claims SET claimed_at = min(claimed_at, $1), due_at = iif(due_at > $1, $1, due_at)
WHERE claimed_at > $1 + $2 OR due_at > $1

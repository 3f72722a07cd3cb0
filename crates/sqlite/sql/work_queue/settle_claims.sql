UPDATE last_claims SET claimed_at = $1 WHERE claimed_at > $1 + $2

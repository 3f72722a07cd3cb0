-- A turn may be stored too early, and never too late.
WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now)
UPDATE last_claims c SET claimed_at = least(c.claimed_at, t.now),
    due_at = CASE WHEN c.due_at > t.now THEN t.now ELSE c.due_at END
FROM t WHERE c.claimed_at > t.now + make_interval(secs => $2) OR c.due_at > t.now

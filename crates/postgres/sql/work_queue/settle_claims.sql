WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now)
UPDATE last_claims c SET claimed_at = t.now
FROM t WHERE c.claimed_at > t.now + make_interval(secs => $2)

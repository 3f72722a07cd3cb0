-- The rules are `RequestCount::take`'s.
INSERT INTO check_counts AS c (organization_id, minute, taken, granted)
VALUES ($1, $4, min($2, $3), min($2, $3))
ON CONFLICT (organization_id) DO UPDATE SET
    minute = CASE WHEN c.minute IN (excluded.minute, excluded.minute + 1) THEN c.minute ELSE excluded.minute END,
    taken = CASE WHEN c.minute IN (excluded.minute, excluded.minute + 1)
        THEN c.taken + min($2, $3 - c.taken) ELSE excluded.taken END,
    granted = CASE WHEN c.minute IN (excluded.minute, excluded.minute + 1)
        THEN min($2, $3 - c.taken) ELSE excluded.granted END
RETURNING minute, taken, granted

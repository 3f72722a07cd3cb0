-- The rules are `RequestCount::take`'s. A crash may forget the last takings: nobody waits for the disk.
WITH t AS MATERIALIZED (
    SELECT coalesce($4::timestamptz, clock_timestamp()) AS now, set_config('synchronous_commit', 'off', true) AS lax
)
INSERT INTO check_counts AS c (organization_id, minute, taken, granted)
SELECT $1, floor(extract(epoch FROM t.now) / 60)::bigint, least($2::bigint, $3::bigint), least($2::bigint, $3::bigint) FROM t
ON CONFLICT (organization_id) DO UPDATE SET
    minute = CASE WHEN c.minute IN (excluded.minute, excluded.minute + 1) THEN c.minute ELSE excluded.minute END,
    taken = CASE WHEN c.minute IN (excluded.minute, excluded.minute + 1)
        THEN c.taken + least($2::bigint, $3::bigint - c.taken) ELSE excluded.taken END,
    granted = CASE WHEN c.minute IN (excluded.minute, excluded.minute + 1)
        THEN least($2::bigint, $3::bigint - c.taken) ELSE excluded.granted END
RETURNING minute, taken, granted, (SELECT t.now FROM t) AS "now!"

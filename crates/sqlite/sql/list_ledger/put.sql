-- The profiles ($3) and the consumers ($4) at the same places.
INSERT INTO list_ledger (organization_id, list_id, profile_id, consumer_id, standing, since, open_at)
SELECT $1, $2, p.value, c.value, $5, $6, $7
FROM json_each($3) p CROSS JOIN json_each($4) c ON c.key = p.key
WHERE true
ON CONFLICT (organization_id, list_id, profile_id) DO UPDATE SET
    consumer_id = excluded.consumer_id, standing = excluded.standing, since = excluded.since, open_at = excluded.open_at

-- The profiles ($3) and the consumers ($4) at the same places.
INSERT INTO list_ledger (organization_id, list_id, profile_id, consumer_id, standing, since, open_at)
SELECT o.organization_id, $2::text, w.profile_id, w.consumer_id, $5::text, $6::timestamptz, $7::timestamptz
FROM outboxes o CROSS JOIN unnest($3::text[], $4::text[]) AS w (profile_id, consumer_id)
WHERE o.organization_id = $1
ON CONFLICT (organization_id, list_id, profile_id) DO UPDATE SET
    consumer_id = excluded.consumer_id, standing = excluded.standing, since = excluded.since, open_at = excluded.open_at

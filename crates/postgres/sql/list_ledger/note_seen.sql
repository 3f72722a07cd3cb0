INSERT INTO list_ledger (organization_id, list_id, profile_id, standing, since, seen_at)
SELECT o.organization_id, $2::text, w.profile_id, 'THEIRS', $4::timestamptz, $4::timestamptz
FROM outboxes o CROSS JOIN unnest($3::text[]) AS w (profile_id)
WHERE o.organization_id = $1
ON CONFLICT (organization_id, list_id, profile_id) DO UPDATE SET seen_at = excluded.seen_at

INSERT INTO list_ledger (organization_id, list_id, profile_id, standing, since, seen_at)
SELECT $1, $2, value, 'THEIRS', $4, $4 FROM json_each($3) WHERE true
ON CONFLICT (organization_id, list_id, profile_id) DO UPDATE SET seen_at = excluded.seen_at

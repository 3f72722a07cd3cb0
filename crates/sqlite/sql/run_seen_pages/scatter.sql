INSERT INTO run_seen_profiles (organization_id, run_id, profile_id, with_email, joined_at)
SELECT $1, $2, s.value ->> 0, s.value ->> 1, s.value ->> 2
FROM run_seen_pages p
CROSS JOIN json_each(p.profiles) s
WHERE p.organization_id = $1 AND p.run_id = $2 AND p.number <= $3
ON CONFLICT (organization_id, run_id, profile_id) DO NOTHING

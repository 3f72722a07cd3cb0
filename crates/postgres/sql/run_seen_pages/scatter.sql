INSERT INTO run_seen_profiles (organization_id, run_id, profile_id, with_email, joined_at)
SELECT p.organization_id, p.run_id, s.profile_id, s.with_email, s.joined_at
FROM run_seen_pages p
CROSS JOIN LATERAL unnest(p.profiles, p.with_email, p.joined_at) AS s (profile_id, with_email, joined_at)
WHERE p.organization_id = $1 AND p.run_id = $2 AND p.number <= $3
ON CONFLICT (organization_id, run_id, profile_id) DO NOTHING

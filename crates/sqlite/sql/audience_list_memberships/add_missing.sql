INSERT INTO audience_list_memberships
   (organization_id, audience_id, consumer_id, run_id, created_at)
SELECT $1, $2, l.consumer_id, $3, $6
FROM run_seen_profiles s
CROSS JOIN profile_links l ON l.organization_id = $1 AND l.profile_id = s.profile_id
WHERE s.organization_id = $1 AND s.run_id = $3 AND s.profile_id > $4 AND s.profile_id <= $5
ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING

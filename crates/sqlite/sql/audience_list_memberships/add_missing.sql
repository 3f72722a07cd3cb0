INSERT INTO audience_list_memberships
   (organization_id, audience_id, consumer_id, run_id, created_at)
SELECT $1, $2, l.consumer_id, $3, $6
FROM run_seen_pages p
CROSS JOIN json_each(p.profiles) s
CROSS JOIN profile_links l ON l.organization_id = $1 AND l.profile_id = s.value ->> 0
WHERE p.organization_id = $1 AND p.run_id = $3 AND p.number > $4 AND p.number <= $5
ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING

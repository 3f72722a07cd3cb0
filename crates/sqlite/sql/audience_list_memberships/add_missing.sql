INSERT INTO audience_list_memberships
   (organization_id, audience_id, consumer_id, run_id, created_at)
SELECT $1, $2, l.consumer_id, $3, $6
FROM (SELECT profile_id FROM run_seen_profiles
      WHERE organization_id = $1 AND run_id = $3 AND profile_id > $4
      ORDER BY profile_id LIMIT $5) s
CROSS JOIN profile_links l ON l.organization_id = $1 AND l.profile_id = s.profile_id
WHERE true
ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING

INSERT INTO audience_list_memberships
   (organization_id, audience_id, consumer_id, run_id, created_at)
SELECT DISTINCT s.organization_id, $2::text, l.consumer_id, s.run_id, $6::timestamptz
FROM run_seen_profiles s
CROSS JOIN LATERAL (
   SELECT consumer_id FROM profile_links
   WHERE organization_id = $1 AND profile_id = s.profile_id OFFSET 0) l
WHERE s.organization_id = $1 AND s.run_id = $3 AND s.profile_id > $4 AND s.profile_id <= $5
  AND NOT EXISTS (
   SELECT FROM audience_list_memberships
   WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = l.consumer_id OFFSET 0)
ORDER BY l.consumer_id
ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING

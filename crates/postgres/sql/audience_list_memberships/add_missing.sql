INSERT INTO audience_list_memberships
   (organization_id, audience_id, consumer_id, run_id, created_at)
SELECT DISTINCT p.organization_id, $2::text, l.consumer_id, p.run_id, $6::timestamptz
FROM run_seen_pages p
CROSS JOIN LATERAL unnest(p.profiles) AS s (profile_id)
CROSS JOIN LATERAL (
   SELECT consumer_id FROM profile_links
   WHERE organization_id = $1 AND profile_id = s.profile_id OFFSET 0) l
WHERE p.organization_id = $1 AND p.run_id = $3 AND p.number > $4 AND p.number <= $5
  AND NOT EXISTS (
   SELECT FROM audience_list_memberships
   WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = l.consumer_id OFFSET 0)
ORDER BY l.consumer_id
ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING

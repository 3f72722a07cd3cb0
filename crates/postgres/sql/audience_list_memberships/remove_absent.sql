DELETE FROM audience_list_memberships m
WHERE m.organization_id = $1 AND m.audience_id = $3
  AND m.consumer_id > $4 AND m.consumer_id <= $5
  AND NOT EXISTS (
   SELECT FROM (
      SELECT profile_id FROM profile_links
      WHERE organization_id = $1 AND consumer_id >= m.consumer_id AND consumer_id <= m.consumer_id
      ORDER BY consumer_id OFFSET 0) l
   CROSS JOIN LATERAL (
       SELECT FROM run_seen_profiles
       WHERE organization_id = $1 AND run_id = $2 AND profile_id = l.profile_id OFFSET 0) s
   OFFSET 0)
RETURNING consumer_id, run_id, created_at

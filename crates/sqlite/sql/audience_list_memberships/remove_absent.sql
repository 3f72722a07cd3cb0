DELETE FROM audience_list_memberships AS m
WHERE m.organization_id = $1 AND m.audience_id = $3
  AND m.consumer_id > $4 AND m.consumer_id <= $5
  AND NOT EXISTS (
   SELECT 1 FROM profile_links l
   CROSS JOIN run_seen_profiles s
     ON s.organization_id = $1 AND s.run_id = $2 AND s.profile_id = l.profile_id
   WHERE l.organization_id = $1 AND l.consumer_id = m.consumer_id)
RETURNING consumer_id, run_id, created_at

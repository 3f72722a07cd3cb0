SELECT COUNT(*)
FROM (SELECT consumer_id, run_id FROM audience_list_memberships
      WHERE organization_id = $1 AND audience_id = $3 AND consumer_id > $4
      ORDER BY consumer_id LIMIT $5) m
WHERE m.run_id <> $2 AND NOT EXISTS (
   SELECT 1 FROM profile_links l
   CROSS JOIN run_seen_profiles s
     ON s.organization_id = $1 AND s.run_id = $2 AND s.profile_id = l.profile_id
   WHERE l.organization_id = $1 AND l.consumer_id = m.consumer_id)

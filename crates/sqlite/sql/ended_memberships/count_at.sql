SELECT count(*) AS "members!" FROM ended_memberships e
WHERE e.organization_id = $1 AND e.audience_id = $2 AND e.ended_at > $3 AND e.began_at <= $3
  AND NOT EXISTS (
   SELECT 1 FROM audience_list_memberships m
   WHERE m.organization_id = $1 AND m.audience_id = $2 AND m.consumer_id = e.consumer_id AND m.created_at <= $3)

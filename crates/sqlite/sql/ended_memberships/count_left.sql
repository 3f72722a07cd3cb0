SELECT count(*) AS "left!" FROM ended_memberships e
WHERE e.organization_id = $1 AND e.audience_id = $2 AND e.ended_at > $3 AND e.ended_at <= $4 AND e.began_at <= $3
  AND NOT EXISTS (
   SELECT 1 FROM audience_list_memberships m
   WHERE m.organization_id = $1 AND m.audience_id = $2 AND m.consumer_id = e.consumer_id AND m.created_at <= $4)
  AND NOT EXISTS (
   SELECT 1 FROM ended_memberships o
   WHERE o.organization_id = $1 AND o.audience_id = $2 AND o.consumer_id = e.consumer_id AND o.began_at <= $4
     AND o.ended_at > $4)

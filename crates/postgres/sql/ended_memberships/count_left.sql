SELECT count(*) AS "left!" FROM (
   SELECT consumer_id, began_at FROM ended_memberships
   WHERE organization_id = $1 AND audience_id = $2 AND ended_at > $3 AND ended_at <= $4
   ORDER BY ended_at OFFSET 0) e
WHERE e.began_at <= $3
  AND NOT EXISTS (
   SELECT FROM audience_list_memberships
   WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = e.consumer_id AND created_at <= $4 OFFSET 0)
  AND NOT EXISTS (
   SELECT FROM ended_memberships
   WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = e.consumer_id AND began_at <= $4
     AND ended_at > $4 OFFSET 0)

DELETE FROM ended_memberships e
WHERE e.organization_id = $1 AND e.audience_id = $2
  AND e.ended_at >= $3 AND (e.ended_at, e.consumer_id) > ($3, $4)
  AND e.ended_at <= $5 AND (e.ended_at, e.consumer_id) <= ($5, $6) AND e.ended_at < $7
  AND NOT EXISTS (
   SELECT FROM snapshots
   WHERE organization_id = $1 AND audience_id = $2 AND at >= e.began_at AND at < e.ended_at OFFSET 0)

DELETE FROM ended_memberships AS e
WHERE e.organization_id = $1 AND e.audience_id = $2
  AND e.ended_at >= $3 AND (e.ended_at, e.consumer_id) > ($3, $4)
  AND e.ended_at <= $5 AND (e.ended_at, e.consumer_id) <= ($5, $6) AND e.ended_at < $7
  AND NOT EXISTS (
   SELECT 1 FROM snapshots s
   WHERE s.organization_id = $1 AND s.audience_id = $2 AND s.at >= e.began_at AND s.at < e.ended_at)

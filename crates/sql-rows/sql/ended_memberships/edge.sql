SELECT ended_at, consumer_id FROM ended_memberships
WHERE organization_id = $1 AND audience_id = $2
  AND ended_at >= $3 AND (ended_at, consumer_id) > ($3, $4) AND ended_at < $5
ORDER BY ended_at, consumer_id LIMIT 1 OFFSET $6

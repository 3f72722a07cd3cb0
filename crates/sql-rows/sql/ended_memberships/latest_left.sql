SELECT consumer_id, ended_at AS at, left_by AS run_id FROM ended_memberships
WHERE organization_id = $1 AND audience_id = $2
  AND ended_at >= $3 AND ended_at <= $4 AND (ended_at, consumer_id) < ($4, $5)
ORDER BY ended_at DESC, consumer_id DESC LIMIT $6

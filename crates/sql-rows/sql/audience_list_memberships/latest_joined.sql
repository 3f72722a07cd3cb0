SELECT consumer_id, created_at AS at, run_id FROM audience_list_memberships
WHERE organization_id = $1 AND audience_id = $2
  AND created_at >= $3 AND created_at <= $4 AND (created_at, consumer_id) < ($4, $5)
ORDER BY created_at DESC, consumer_id DESC LIMIT $6

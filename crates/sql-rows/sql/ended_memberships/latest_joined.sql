SELECT consumer_id, began_at AS at, joined_by AS run_id FROM ended_memberships
WHERE organization_id = $1 AND audience_id = $2
  AND began_at >= $3 AND began_at <= $4 AND (began_at, consumer_id) < ($4, $5)
ORDER BY began_at DESC, consumer_id DESC LIMIT $6

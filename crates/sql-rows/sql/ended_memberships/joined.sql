SELECT consumer_id, began_at AS at, joined_by AS run_id FROM ended_memberships
WHERE organization_id = $1 AND audience_id = $2
  AND began_at >= $3 AND (began_at, consumer_id) > ($3, $4) AND began_at < $5
ORDER BY began_at, consumer_id LIMIT $6

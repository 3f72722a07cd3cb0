SELECT consumer_id FROM ended_memberships
WHERE organization_id = $1 AND audience_id = $2 AND consumer_id > $3 AND began_at <= $4 AND ended_at > $4
ORDER BY consumer_id LIMIT $5

SELECT consumer_id FROM audience_list_memberships
WHERE organization_id = $1 AND audience_id = $2 AND consumer_id > $3 AND created_at <= $4
ORDER BY consumer_id LIMIT $5

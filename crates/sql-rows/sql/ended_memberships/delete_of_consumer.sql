DELETE FROM ended_memberships WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = $3

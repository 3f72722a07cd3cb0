SELECT began_at, joined_by, ended_at, left_by FROM ended_memberships
WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = $3
ORDER BY consumer_id DESC, ended_at DESC LIMIT 1

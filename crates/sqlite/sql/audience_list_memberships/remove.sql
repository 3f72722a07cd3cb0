DELETE FROM audience_list_memberships
WHERE organization_id = $1 AND audience_id = $2 AND consumer_id IN (SELECT value FROM json_each($3))
RETURNING consumer_id, run_id, created_at

SELECT count(*) AS "members!" FROM audience_list_memberships
WHERE organization_id = $1 AND audience_id = $2 AND created_at <= $3

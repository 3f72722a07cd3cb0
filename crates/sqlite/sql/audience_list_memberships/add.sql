INSERT INTO audience_list_memberships
   (organization_id, audience_id, consumer_id, run_id, created_at)
SELECT $1, $2, value, '', $4 FROM json_each($3) WHERE true
ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING

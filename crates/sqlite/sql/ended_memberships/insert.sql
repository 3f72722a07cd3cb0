INSERT INTO ended_memberships
   (organization_id, audience_id, consumer_id, ended_at, began_at, joined_by, left_by)
SELECT $1, $2, value ->> 0, $5, value ->> 1, value ->> 2, $3 FROM json_each($4) WHERE true
ON CONFLICT (organization_id, audience_id, consumer_id, ended_at) DO NOTHING

INSERT INTO ended_memberships
   (organization_id, audience_id, consumer_id, ended_at, began_at, joined_by, left_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (organization_id, audience_id, consumer_id, ended_at) DO NOTHING

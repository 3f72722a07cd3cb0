INSERT INTO ended_memberships
   (organization_id, audience_id, consumer_id, ended_at, began_at, joined_by, left_by)
SELECT r.organization_id, $2::text, w.consumer_id, $7::timestamptz, w.began_at, w.joined_by, r.id
FROM sync_runs r
CROSS JOIN unnest($4::text[], $5::timestamptz[], $6::text[]) AS w (consumer_id, began_at, joined_by)
WHERE r.organization_id = $1 AND r.id = $3
ON CONFLICT (organization_id, audience_id, consumer_id, ended_at) DO NOTHING

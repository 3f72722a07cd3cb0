INSERT INTO audience_list_memberships
   (organization_id, audience_id, consumer_id, run_id, created_at)
SELECT a.organization_id, a.id, w.id, '', $4::timestamptz
FROM audiences a CROSS JOIN unnest($3::text[]) AS w (id)
WHERE a.organization_id = $1 AND a.id = $2
ORDER BY w.id
ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING

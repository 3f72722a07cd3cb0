-- Where links have moved ($4 to $5), the consumers they lead to become members of the audiences of those they led to.
INSERT INTO audience_list_memberships
   (organization_id, audience_id, consumer_id, run_id, created_at)
SELECT DISTINCT r.organization_id, m.audience_id, w.moved_to, r.id, $6::timestamptz
FROM sync_runs r
CROSS JOIN unnest($3::text[]) AS a (id)
CROSS JOIN unnest($4::text[], $5::text[]) AS w (moved_from, moved_to)
CROSS JOIN LATERAL (
   SELECT audience_id FROM audience_list_memberships
   WHERE organization_id = $1 AND audience_id = a.id AND consumer_id = w.moved_from OFFSET 0) m
WHERE r.organization_id = $1 AND r.id = $2
ORDER BY m.audience_id, w.moved_to
ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING

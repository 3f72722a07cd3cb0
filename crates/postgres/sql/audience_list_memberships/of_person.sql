-- A consumer's memberships in these audiences.
SELECT m.audience_id, m.created_at
FROM unnest($2::text[]) AS a (id)
CROSS JOIN LATERAL (
    SELECT audience_id, created_at FROM audience_list_memberships
    WHERE organization_id = $1 AND audience_id = a.id AND consumer_id = $3 OFFSET 0) m

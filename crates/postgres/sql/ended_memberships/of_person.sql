-- A consumer's memberships in these audiences that ended.
SELECT e.audience_id, e.began_at, e.joined_by, e.ended_at, e.left_by
FROM unnest($2::text[]) AS a (id)
CROSS JOIN LATERAL (
    SELECT audience_id, began_at, joined_by, ended_at, left_by FROM ended_memberships
    WHERE organization_id = $1 AND audience_id = a.id AND consumer_id = $3
    ORDER BY consumer_id, ended_at OFFSET 0) e

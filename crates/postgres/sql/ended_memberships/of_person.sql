-- A consumer's memberships in these audiences that ended.
SELECT e.audience_id AS "audience_id!", e.began_at AS "began_at!", e.ended_at AS "ended_at!"
FROM unnest($2::text[]) AS a (id)
CROSS JOIN LATERAL (
    SELECT audience_id, began_at, ended_at FROM ended_memberships
    WHERE organization_id = $1 AND audience_id = a.id AND consumer_id = $3
    ORDER BY consumer_id, ended_at OFFSET 0) e

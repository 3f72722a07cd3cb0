-- Those of the audiences of which one of the consumers is a member.
SELECT a.id AS "id!" FROM unnest($2::text[]) AS a (id)
WHERE EXISTS (
    SELECT FROM unnest($3::text[]) AS c (id)
    CROSS JOIN LATERAL (
        SELECT FROM audience_list_memberships
        WHERE organization_id = $1 AND audience_id = a.id AND consumer_id = c.id OFFSET 0) m
    OFFSET 0)

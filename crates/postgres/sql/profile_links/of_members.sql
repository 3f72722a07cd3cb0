-- Those of the profiles whose consumers are members of one of the audiences.
SELECT l.profile_id AS "profile_id!" FROM unnest($2::text[]) AS p (id)
CROSS JOIN LATERAL (
    SELECT profile_id, consumer_id FROM profile_links
    WHERE organization_id = $1 AND profile_id = p.id OFFSET 0) l
WHERE EXISTS (
    SELECT FROM unnest($3::text[]) AS a (id)
    CROSS JOIN LATERAL (
        SELECT FROM audience_list_memberships
        WHERE organization_id = $1 AND audience_id = a.id AND consumer_id = l.consumer_id OFFSET 0) m
    OFFSET 0)

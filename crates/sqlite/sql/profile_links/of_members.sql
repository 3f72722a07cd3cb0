-- Those of the profiles whose consumers are members of one of the audiences.
SELECT l.profile_id FROM json_each($2) p
CROSS JOIN profile_links l ON l.organization_id = $1 AND l.profile_id = p.value
WHERE EXISTS (
    SELECT 1 FROM json_each($3) a
    CROSS JOIN audience_list_memberships m
        ON m.organization_id = $1 AND m.audience_id = a.value AND m.consumer_id = l.consumer_id)

-- Those of the audiences of which one of the consumers is a member.
SELECT CAST(a.value AS TEXT) AS "id!: String" FROM json_each($2) a
WHERE EXISTS (
    SELECT 1 FROM json_each($3) c
    CROSS JOIN audience_list_memberships m
        ON m.organization_id = $1 AND m.audience_id = a.value AND m.consumer_id = c.value)

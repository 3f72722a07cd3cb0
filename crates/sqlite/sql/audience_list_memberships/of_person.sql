-- A consumer's memberships in these audiences.
SELECT m.audience_id, m.created_at
FROM json_each($2) a
CROSS JOIN audience_list_memberships m
    ON m.organization_id = $1 AND m.audience_id = a.value AND m.consumer_id = $3

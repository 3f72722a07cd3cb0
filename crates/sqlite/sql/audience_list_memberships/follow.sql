-- Where links have moved ($4 to $5), the consumers they lead to become members of the audiences of those they led to.
INSERT INTO audience_list_memberships
   (organization_id, audience_id, consumer_id, run_id, created_at)
SELECT $1, m.audience_id, w.value, $2, $6
FROM json_each($3) a
CROSS JOIN json_each($4) f
CROSS JOIN audience_list_memberships m
    ON m.organization_id = $1 AND m.audience_id = a.value AND m.consumer_id = f.value
CROSS JOIN json_each($5) w ON w.key = f.key
WHERE true
ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING

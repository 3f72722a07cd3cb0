-- A consumer's memberships in these audiences that ended.
SELECT e.audience_id AS "audience_id!", e.began_at AS "began_at!", e.ended_at AS "ended_at!"
FROM json_each($2) a
CROSS JOIN ended_memberships e
    ON e.organization_id = $1 AND e.audience_id = a.value AND e.consumer_id = $3

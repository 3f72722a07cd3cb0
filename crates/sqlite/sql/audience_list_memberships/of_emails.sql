-- One row for each e-mail asked for, without an id where it is no member's, and one row if none is asked for. How fresh
-- the audience is stands in every row.
SELECT s.last_synced_at, s.created_at, a.refresh_interval_seconds,
    c.email AS "person?: String", o.consumer_id AS "consumer_id?: String"
FROM audiences a
CROSS JOIN sync_sources s ON s.organization_id = $1 AND s.id = a.source_id
LEFT JOIN json_each($3) k ON true
LEFT JOIN consumers c ON c.organization_id = $1 AND c.email = k.value
LEFT JOIN audience_list_memberships o
    ON o.organization_id = $1 AND o.audience_id = $2 AND o.consumer_id = c.id
WHERE a.organization_id = $1 AND a.id = $2

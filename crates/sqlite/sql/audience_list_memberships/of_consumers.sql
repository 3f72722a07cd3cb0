-- One row for each id asked for, without one where it is no member's, and one row if none is asked for. How fresh the
-- audience is stands in every row.
SELECT s.last_synced_at, s.created_at, a.refresh_interval_seconds,
    o.consumer_id AS "person?: String", o.consumer_id AS "consumer_id?: String"
FROM audiences a
CROSS JOIN sync_sources s ON s.organization_id = $1 AND s.id = a.source_id
LEFT JOIN json_each($3) k ON true
LEFT JOIN audience_list_memberships o
    ON o.organization_id = $1 AND o.audience_id = $2 AND o.consumer_id = k.value
WHERE a.organization_id = $1 AND a.id = $2

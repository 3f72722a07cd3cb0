-- Members by id, with how fresh the audience is in every row; one row without a member if there is none.
SELECT s.last_synced_at, s.created_at, a.refresh_interval_seconds,
    m.consumer_id AS "person?", m.consumer_id AS "consumer_id?"
FROM audiences a
CROSS JOIN LATERAL (
    SELECT last_synced_at, created_at FROM sync_sources
    WHERE organization_id = $1 AND id = a.source_id OFFSET 0) s
LEFT JOIN LATERAL (
    SELECT o.consumer_id FROM unnest($3::text[]) AS k (id)
    CROSS JOIN LATERAL (
        SELECT consumer_id FROM audience_list_memberships
        WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = k.id OFFSET 0) o
    OFFSET 0) m ON true
WHERE a.organization_id = $1 AND a.id = $2

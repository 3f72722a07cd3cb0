-- Members by e-mail ($3) and by id ($4), with how fresh the audience is in every row; one row without a member if there is
-- none. The statement is a transaction of its own: it names the organization first, and row security reads the name
-- when the first table is read.
SELECT s.last_synced_at, s.created_at, a.refresh_interval_seconds,
    m.person AS "person?", m.consumer_id AS "consumer_id?"
FROM (SELECT set_config('fanfare.organization_id', $1, true) AS organization_id OFFSET 0) named
CROSS JOIN LATERAL (
    SELECT source_id, refresh_interval_seconds FROM audiences
    WHERE organization_id = named.organization_id AND id = $2 OFFSET 0) a
CROSS JOIN LATERAL (
    SELECT last_synced_at, created_at FROM sync_sources
    WHERE organization_id = $1 AND id = a.source_id OFFSET 0) s
LEFT JOIN LATERAL (
    SELECT c.email AS person, c.id AS consumer_id FROM unnest($3::text[]) AS k (email)
    CROSS JOIN LATERAL (
        SELECT email, id FROM consumers
        WHERE organization_id = $1 AND email >= k.email AND email <= k.email
        ORDER BY email OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT FROM audience_list_memberships
        WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = c.id OFFSET 0) o
    UNION ALL
    SELECT k.id, o.consumer_id FROM unnest($4::text[]) AS k (id)
    CROSS JOIN LATERAL (
        SELECT consumer_id FROM audience_list_memberships
        WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = k.id OFFSET 0) o
    OFFSET 0) m ON true

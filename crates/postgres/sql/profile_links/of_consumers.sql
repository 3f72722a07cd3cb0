SELECT l.source_id, l.profile_id, l.consumer_id, l.profile_updated, l.changed_at
FROM unnest($2::text[]) AS c (id)
CROSS JOIN LATERAL (
    SELECT * FROM profile_links
    WHERE organization_id = $1 AND consumer_id >= c.id AND consumer_id <= c.id
    ORDER BY consumer_id OFFSET 0) l

SELECT json_group_array(json_array(l.source_id, l.profile_id, l.consumer_id, l.profile_updated, l.changed_at))
   AS "rows!: String"
FROM json_each($2) c
CROSS JOIN profile_links l INDEXED BY profile_links_by_consumer
    ON l.organization_id = $1 AND l.consumer_id = c.value

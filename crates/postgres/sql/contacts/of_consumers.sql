SELECT o.consumer_id, o.state
FROM unnest($2::text[]) AS k (id)
CROSS JOIN LATERAL (SELECT * FROM contacts WHERE organization_id = $1 AND consumer_id = k.id OFFSET 0) o

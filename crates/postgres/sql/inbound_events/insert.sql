INSERT INTO inbound_events (organization_id, key, received_at)
SELECT o.organization_id, k.key, $3::timestamptz
FROM outboxes o CROSS JOIN unnest($2::text[]) AS k (key)
WHERE o.organization_id = $1

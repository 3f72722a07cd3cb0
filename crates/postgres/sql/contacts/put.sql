INSERT INTO contacts (organization_id, consumer_id, state)
SELECT o.organization_id, w.consumer_id, w.state::jsonb
FROM outboxes o CROSS JOIN jsonb_to_recordset($2::jsonb) AS w (consumer_id text, state text)
WHERE o.organization_id = $1
ON CONFLICT (organization_id, consumer_id) DO UPDATE SET state = excluded.state

INSERT INTO deliveries (organization_id, id, place, kind, type, consumer_id, target, status, attempts, created_at,
    due_at, purchase, payload, code)
SELECT o.organization_id, w.id, w.place, w.kind, w.type, w.consumer_id, w.target, w.status, 0, $3::timestamptz,
    to_timestamp(0) + w.due_at * interval '1 microsecond', w.purchase, w.payload, w.code
FROM outboxes o
CROSS JOIN jsonb_to_recordset($2::jsonb) AS w (id text, place bigint, kind text, type text, consumer_id text,
    target text, status text, due_at bigint, purchase text, payload text, code text)
WHERE o.organization_id = $1

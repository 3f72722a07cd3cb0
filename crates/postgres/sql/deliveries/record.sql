INSERT INTO deliveries (organization_id, id, place, kind, type, consumer_id, target, status, attempts, created_at,
    sent_at, code)
SELECT o.organization_id, w.id, w.place, w.kind, w.type, w.consumer_id, w.target, w.status,
    CASE WHEN w.code IS NULL THEN 1 ELSE 0 END, $3::timestamptz,
    CASE WHEN w.code IS NULL THEN $3::timestamptz END, w.code
FROM outboxes o
CROSS JOIN jsonb_to_recordset($2::jsonb) AS w (id text, place bigint, kind text, type text, consumer_id text,
    target text, status text, code text)
WHERE o.organization_id = $1

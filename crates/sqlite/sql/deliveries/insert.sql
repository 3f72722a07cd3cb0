INSERT INTO deliveries (organization_id, id, place, kind, type, consumer_id, target, status, attempts, created_at,
    due_at, purchase, payload, code)
SELECT $1, value ->> 'id', value ->> 'place', value ->> 'kind', value ->> 'type', value ->> 'consumer_id',
    value ->> 'target', value ->> 'status', 0, $3, value ->> 'due_at', value ->> 'purchase', value ->> 'payload',
    value ->> 'code'
FROM json_each($2)

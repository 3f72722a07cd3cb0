INSERT INTO deliveries (organization_id, id, place, kind, type, consumer_id, target, status, attempts, created_at,
    sent_at, code)
SELECT $1, value ->> 'id', value ->> 'place', value ->> 'kind', value ->> 'type', value ->> 'consumer_id',
    value ->> 'target', value ->> 'status', CASE WHEN value ->> 'code' IS NULL THEN 1 ELSE 0 END, $3,
    CASE WHEN value ->> 'code' IS NULL THEN $3 END, value ->> 'code'
FROM json_each($2)

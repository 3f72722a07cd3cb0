SELECT d.id, d.consumer_id AS "consumer_id!", d.attempts
FROM unnest($2::text[]) AS c (id)
CROSS JOIN LATERAL (
   SELECT id, consumer_id, attempts, place, kind FROM deliveries
   WHERE organization_id = $1 AND consumer_id >= c.id AND consumer_id <= c.id AND due_at IS NOT NULL
   ORDER BY consumer_id, due_at OFFSET 0) d
WHERE d.kind = 'CONTACT'
ORDER BY d.place

SELECT c.id AS "consumer_id!", d.due_at AS "due_at?"
FROM unnest($2::text[]) AS c (id)
CROSS JOIN LATERAL (
   SELECT due_at FROM deliveries
   WHERE organization_id = $1 AND consumer_id >= c.id AND consumer_id <= c.id AND due_at IS NOT NULL
   ORDER BY consumer_id DESC, due_at DESC LIMIT 1) d

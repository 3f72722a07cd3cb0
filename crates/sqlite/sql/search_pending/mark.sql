INSERT INTO search_pending (organization_id, consumer_id)
SELECT $1, w.value ->> 0 FROM json_each($2) w
WHERE NOT EXISTS (
   SELECT 1 FROM consumers c
   WHERE c.organization_id = $1 AND c.id = w.value ->> 0 AND c.search_text = w.value ->> 1)
ON CONFLICT (organization_id, consumer_id) DO NOTHING

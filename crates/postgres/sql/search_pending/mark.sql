INSERT INTO search_pending (organization_id, consumer_id)
SELECT r.organization_id, w.id
FROM sync_runs r CROSS JOIN unnest($3::text[], $4::text[]) AS w (id, search_text)
WHERE r.organization_id = $1 AND r.id = $2
  AND NOT EXISTS (
   SELECT FROM consumers
   WHERE organization_id = $1 AND id = w.id AND search_text = w.search_text OFFSET 0)
ON CONFLICT (organization_id, consumer_id) DO NOTHING

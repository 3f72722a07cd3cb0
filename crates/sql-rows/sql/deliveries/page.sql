SELECT id, place, kind, type, consumer_id, target, status, attempts, created_at, sent_at, code, detail
FROM deliveries WHERE organization_id = $1 AND place < $2
  AND (CAST($3 AS text) IS NULL OR kind = $3)
ORDER BY place DESC LIMIT $4

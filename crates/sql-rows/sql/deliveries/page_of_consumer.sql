SELECT id, place, kind, type, consumer_id, target, status, attempts, created_at, sent_at, code, detail
FROM deliveries WHERE organization_id = $1 AND consumer_id >= $5 AND consumer_id <= $5 AND place < $2
  AND (CAST($3 AS text) IS NULL OR kind = $3) AND (CAST($6 AS text) IS NULL OR status = $6)
ORDER BY consumer_id DESC, place DESC LIMIT $4

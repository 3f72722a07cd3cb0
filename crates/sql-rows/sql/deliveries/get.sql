SELECT id, place, kind, type, consumer_id, target, status, attempts, created_at, sent_at, code, detail
FROM deliveries WHERE organization_id = $1 AND id = $2

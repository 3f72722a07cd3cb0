SELECT id, kind, status, attempts, payload FROM deliveries
WHERE organization_id = $1 AND purchase >= $2 AND purchase <= $2
ORDER BY purchase DESC, place DESC LIMIT 1

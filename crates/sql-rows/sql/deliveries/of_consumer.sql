SELECT kind, status, count(*) AS "deliveries!" FROM (
    SELECT kind, status FROM deliveries
    WHERE organization_id = $1 AND consumer_id >= $2 AND consumer_id <= $2
    ORDER BY consumer_id, place) AS of_consumer
GROUP BY kind, status

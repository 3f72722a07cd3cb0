DELETE FROM deliveries WHERE organization_id = $1 AND consumer_id >= $2 AND consumer_id <= $2

SELECT o.consumer_id, o.state FROM json_each($2) k
CROSS JOIN contacts o ON o.organization_id = $1 AND o.consumer_id = k.value

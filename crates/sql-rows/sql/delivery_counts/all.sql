SELECT kind, status, deliveries FROM delivery_counts WHERE organization_id = $1 AND kind >= $2

DELETE FROM contacts WHERE organization_id = $1 AND consumer_id = $2

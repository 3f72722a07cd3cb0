SELECT account_id FROM outboxes WHERE organization_id = $1

INSERT INTO outboxes (organization_id, last_place, account_id) VALUES ($1, 0, $2)
ON CONFLICT (organization_id) DO UPDATE SET account_id = excluded.account_id

INSERT INTO snapshots (organization_id, audience_id, id, name, at, members) VALUES ($1, $2, $3, $4, $5, $6)

INSERT INTO erased_people (organization_id, hash, erased_at) VALUES ($1, $2, $3)
ON CONFLICT (organization_id, hash) DO NOTHING

INSERT INTO contacts (organization_id, consumer_id, state)
SELECT $1, value ->> 'consumer_id', value ->> 'state' FROM json_each($2) WHERE true
ON CONFLICT (organization_id, consumer_id) DO UPDATE SET state = excluded.state

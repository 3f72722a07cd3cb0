INSERT INTO search_places (organization_id, section, number, ids)
SELECT $1, $2, value ->> 0, value ->> 1 FROM json_each($3)

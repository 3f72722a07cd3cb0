INSERT INTO search_blocks (organization_id, section, first_gram, lists)
SELECT $1, $2, value ->> 0, unhex(value ->> 1) FROM json_each($3)

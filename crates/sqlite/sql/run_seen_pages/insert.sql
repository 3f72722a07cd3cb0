INSERT INTO run_seen_pages (organization_id, run_id, number, profiles)
SELECT $1, $2, value ->> 0, value -> 1 FROM json_each($3)

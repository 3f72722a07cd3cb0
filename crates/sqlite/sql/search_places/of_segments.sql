SELECT p.segment, p.number, p.ids
FROM json_each($2) w
CROSS JOIN search_places p
    ON p.organization_id = $1 AND p.segment = w.value ->> 0 AND p.number = w.value ->> 1

SELECT p.section AS "section!", p.number AS "number!", p.ids AS "ids!"
FROM json_each($2) w
CROSS JOIN search_places p
    ON p.organization_id = $1 AND p.section = w.value ->> 0 AND p.number = w.value ->> 1

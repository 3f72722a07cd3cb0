SELECT json_group_array(json(s.value)) AS "rows!: String"
FROM json_each($3) n
CROSS JOIN run_seen_pages p
    ON p.organization_id = $1 AND p.run_id = $2 AND p.number = n.value
CROSS JOIN json_each(p.profiles) s
WHERE s.value ->> 0 IN (SELECT value FROM json_each($4))

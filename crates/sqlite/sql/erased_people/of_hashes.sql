SELECT e.hash FROM json_each($2) h
CROSS JOIN erased_people e ON e.organization_id = $1 AND e.hash = h.value

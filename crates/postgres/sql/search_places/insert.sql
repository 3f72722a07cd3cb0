INSERT INTO search_places (organization_id, section, number, ids)
SELECT s.organization_id, s.last_id, w.number, w.ids
FROM search_sections s CROSS JOIN unnest($3::bigint[], $4::text[]) AS w (number, ids)
WHERE s.organization_id = $1 AND s.last_id = $2

INSERT INTO search_blocks (organization_id, section, first_gram, lists)
SELECT s.organization_id, s.last_id, w.first_gram, w.lists
FROM search_sections s CROSS JOIN unnest($3::bigint[], $4::bytea[]) AS w (first_gram, lists)
WHERE s.organization_id = $1 AND s.last_id = $2

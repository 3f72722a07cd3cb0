SELECT w.section AS "section!", w.number AS "number!", p.ids
FROM unnest($2::text[], $3::bigint[]) AS w (section, number)
CROSS JOIN LATERAL (
   SELECT ids FROM search_places
   WHERE organization_id = $1 AND section = w.section AND number = w.number OFFSET 0) p

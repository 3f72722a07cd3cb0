SELECT w.segment AS "segment!", w.number AS "number!", p.ids
FROM unnest($2::text[], $3::bigint[]) AS w (segment, number)
CROSS JOIN LATERAL (
   SELECT ids FROM search_places
   WHERE organization_id = $1 AND segment = w.segment AND number = w.number OFFSET 0) p

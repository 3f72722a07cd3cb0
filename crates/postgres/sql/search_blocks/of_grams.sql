SELECT s.id AS "section!", g.gram AS "gram!", b.lists AS "lists?"
FROM unnest($2::text[]) AS s (id)
CROSS JOIN unnest($3::bigint[]) AS g (gram)
CROSS JOIN LATERAL (
   SELECT lists FROM search_blocks
   WHERE organization_id = $1 AND section = s.id AND first_gram <= g.gram
   ORDER BY first_gram DESC LIMIT 1) b

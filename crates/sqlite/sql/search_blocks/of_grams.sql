SELECT CAST(s.value AS TEXT) AS "section!: String", CAST(g.value AS INTEGER) AS "gram!: i64", (
   SELECT b.lists FROM search_blocks b
   WHERE b.organization_id = $1 AND b.section = s.value AND b.first_gram <= g.value
   ORDER BY b.first_gram DESC LIMIT 1) AS "lists?: Vec<u8>"
FROM json_each($2) s CROSS JOIN json_each($3) g

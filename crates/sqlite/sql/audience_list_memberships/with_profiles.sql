-- The members of a batch, each with whether this run has added it ($5), and the profiles that are linked to it: one JSON
-- document, as `page_reads.rs` says.
SELECT json_group_array(json_array(m.consumer_id, json(iif(m.run_id = $5, 'true', 'false')), (
   SELECT json_group_array(l.profile_id) FROM profile_links l
   WHERE l.organization_id = $1 AND l.consumer_id = m.consumer_id))) AS "rows!: String"
FROM audience_list_memberships m
WHERE m.organization_id = $1 AND m.audience_id = $2
  AND m.consumer_id > $3 AND m.consumer_id <= $4

-- The members of a batch, each with whether this run has added it ($5), and the profiles that are linked to it.
SELECT m.consumer_id, m.run_id = $5 AS "is_new!",
   ARRAY(
      SELECT profile_id FROM profile_links
      WHERE organization_id = $1 AND consumer_id >= m.consumer_id AND consumer_id <= m.consumer_id
      ORDER BY consumer_id) AS "profiles!"
FROM audience_list_memberships m
WHERE m.organization_id = $1 AND m.audience_id = $2
  AND m.consumer_id > $3 AND m.consumer_id <= $4

SELECT k.key AS "key!"
FROM unnest($2::text[]) AS k (key)
CROSS JOIN LATERAL (
   SELECT FROM inbound_events WHERE organization_id = $1 AND key = k.key OFFSET 0) e

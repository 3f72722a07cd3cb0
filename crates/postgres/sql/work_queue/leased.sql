SELECT count(*) AS "leased!" FROM work_queue
WHERE organization_id = $1 AND is_leased AND lease_until > coalesce($2, clock_timestamp())

SELECT COUNT(*) FROM work_queue INDEXED BY work_queue_leased WHERE organization_id = $1 AND lease_until > $2

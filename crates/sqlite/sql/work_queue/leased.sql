SELECT COUNT(*) FROM work_queue WHERE organization_id = $1 AND lease_until > $2

SELECT id FROM work_queue WHERE organization_id = $1 AND kind = $2 ORDER BY id

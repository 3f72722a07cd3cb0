SELECT id FROM work_queue WHERE notify_at <= $1 AND kind IN (SELECT value FROM json_each($2)) LIMIT 1

SELECT id FROM work_queue WHERE notify_at <= $1 LIMIT 1

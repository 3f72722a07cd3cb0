SELECT COUNT(*) FROM work_queue WHERE due_at <= $1

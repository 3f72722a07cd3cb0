-- When a place in the queue was last written, and when a rate-limit block began: a time that lies later than now was
-- written before the clock was set back. NULL: a version of the program wrote it that did not tell.
ALTER TABLE work_queue ADD COLUMN written_at timestamptz;
ALTER TABLE quota_buckets ADD COLUMN blocked_at timestamptz;

-- Ended runs are deleted after a time, and so are quotas that nobody uses. The number of an audience's runs, which its
-- status shows as a version that grows, counts those that were deleted too.

ALTER TABLE audiences ADD COLUMN deleted_runs bigint NOT NULL DEFAULT 0;

GRANT DELETE ON sync_runs, quota_buckets TO fanfare_app;

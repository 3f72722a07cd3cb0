-- Ended runs are deleted after a time. The number of an audience's runs, which its status shows as a version that
-- grows, counts those that were deleted too.

ALTER TABLE audiences ADD COLUMN deleted_runs INTEGER NOT NULL DEFAULT 0;

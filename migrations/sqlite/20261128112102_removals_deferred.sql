-- Whether a run removes nobody, because Klaviyo was still computing the segment that it reads.

ALTER TABLE sync_runs ADD COLUMN removals_deferred INTEGER NOT NULL DEFAULT 0;

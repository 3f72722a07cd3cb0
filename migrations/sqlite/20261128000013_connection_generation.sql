-- Counts the keys that were stored, so that a worker can tell whether its key was replaced.

ALTER TABLE klaviyo_connections ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;

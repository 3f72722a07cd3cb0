-- How far the changes of the account's profiles are read: when the last reading began, when the next one is due, and the run
-- that reads them now (NULL: none).

ALTER TABLE klaviyo_connections ADD COLUMN changes_began_at INTEGER;
ALTER TABLE klaviyo_connections ADD COLUMN changes_next_at INTEGER;
ALTER TABLE klaviyo_connections ADD COLUMN changes_reader TEXT;

-- From where an incremental pass over a source can go on, as a JSON object (NULL: only a complete pass can say who is in
-- the list).

ALTER TABLE sync_sources ADD COLUMN watermarks jsonb;

-- From where an incremental pass over a source can go on, as a JSON object (NULL: only a complete pass can say who is in
-- the list).

ALTER TABLE sync_sources ADD COLUMN watermarks TEXT;

-- When it became uncertain which profiles are in the list: watermarks of a complete pass that began no later say nothing. A
-- column of its own, because a run that is active then writes its watermarks later.

ALTER TABLE sync_sources ADD COLUMN full_pass_called_for_at INTEGER;

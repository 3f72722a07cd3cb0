-- What a consumer is searched by: its e-mail, phone number and name, folded by one rule of the programs', which
-- neither database has (`fanfare_domain::search`). The rows that are there get their texts from the program that
-- migrates, in windows, right after this; `meta` holds by which rules they were made.
--
-- Programs of another version are stopped while this runs: they refuse a schema that is not theirs.

ALTER TABLE consumers ADD COLUMN search_text TEXT NOT NULL DEFAULT '';

-- One document for all values' stamps instead of two columns for each value: a new value needs no columns
-- of its own for its stamp. `{"phone": {"updated": MICROSECONDS, "profile": ID}, "full_name": …}`, with a
-- member for each value that came from Klaviyo, and without `updated` where that is unknown.
--
-- Programs of another version are stopped while this runs: they refuse a schema that is not theirs.

ALTER TABLE consumers ADD COLUMN stamps TEXT NOT NULL DEFAULT '{}';

-- The patch leaves out what is null.
-- Each consumer with a stamp is rewritten once. No program of another version runs on the schema
-- meanwhile, so none waits for the table, and the file has one writer at a time in any case.
UPDATE consumers SET stamps = json_patch('{}', json_object(
    'phone', json(iif(phone_profile IS NULL, NULL,
        json_object('updated', phone_updated, 'profile', phone_profile))),
    'full_name', json(iif(full_name_profile IS NULL, NULL,
        json_object('updated', full_name_updated, 'profile', full_name_profile)))))
WHERE phone_profile IS NOT NULL OR full_name_profile IS NOT NULL;

-- contract: the document has taken its place, and no program of before runs on this schema.
ALTER TABLE consumers DROP COLUMN phone_updated;
-- contract: the document has taken its place, and no program of before runs on this schema.
ALTER TABLE consumers DROP COLUMN phone_profile;
-- contract: the document has taken its place, and no program of before runs on this schema.
ALTER TABLE consumers DROP COLUMN full_name_updated;
-- contract: the document has taken its place, and no program of before runs on this schema.
ALTER TABLE consumers DROP COLUMN full_name_profile;

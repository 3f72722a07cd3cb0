-- One document for all values' stamps instead of two columns for each value: a new value needs no columns
-- of its own for its stamp. `{"phone": {"updated": MICROSECONDS, "profile": ID}, "full_name": …}`, with a
-- member for each value that came from Klaviyo, and without `updated` where that is unknown.

ALTER TABLE consumers ADD COLUMN stamps TEXT NOT NULL DEFAULT '{}';

-- The patch leaves out what is null.
UPDATE consumers SET stamps = json_patch('{}', json_object(
    'phone', json(iif(phone_profile IS NULL, NULL,
        json_object('updated', phone_updated, 'profile', phone_profile))),
    'full_name', json(iif(full_name_profile IS NULL, NULL,
        json_object('updated', full_name_updated, 'profile', full_name_profile)))))
WHERE phone_profile IS NOT NULL OR full_name_profile IS NOT NULL;

ALTER TABLE consumers DROP COLUMN phone_updated;
ALTER TABLE consumers DROP COLUMN phone_profile;
ALTER TABLE consumers DROP COLUMN full_name_updated;
ALTER TABLE consumers DROP COLUMN full_name_profile;

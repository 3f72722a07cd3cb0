-- One document for all values' stamps instead of two columns for each value: a new value needs no columns
-- of its own for its stamp. `{"phone": {"updated": MICROSECONDS, "profile": ID}, "full_name": …}`, with a
-- member for each value that came from Klaviyo, and without `updated` where that is unknown.
--
-- Programs of another version are stopped while this runs: they refuse a schema that is not theirs.

ALTER TABLE consumers ADD COLUMN stamps jsonb NOT NULL DEFAULT '{}';

-- The owner, who migrates, is bound by row security as all others are, and must see every organization.
ALTER TABLE consumers NO FORCE ROW LEVEL SECURITY;
-- Each consumer with a stamp is rewritten once. No program of another version runs on the schema
-- meanwhile, so none waits for the table, and one statement is the quickest way.
UPDATE consumers SET stamps = jsonb_strip_nulls(jsonb_build_object(
    'phone', CASE WHEN phone_profile IS NOT NULL THEN jsonb_build_object(
        'updated', (extract(epoch FROM phone_updated) * 1000000)::bigint,
        'profile', phone_profile) END,
    'full_name', CASE WHEN full_name_profile IS NOT NULL THEN jsonb_build_object(
        'updated', (extract(epoch FROM full_name_updated) * 1000000)::bigint,
        'profile', full_name_profile) END))
WHERE phone_profile IS NOT NULL OR full_name_profile IS NOT NULL;
ALTER TABLE consumers FORCE ROW LEVEL SECURITY;

-- contract: the document has taken their place, and no program of before runs on this schema.
ALTER TABLE consumers
    DROP COLUMN phone_updated,
    DROP COLUMN phone_profile,
    DROP COLUMN full_name_updated,
    DROP COLUMN full_name_profile;

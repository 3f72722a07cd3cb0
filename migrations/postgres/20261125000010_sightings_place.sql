-- Where in its list a profile was seen: which of two with one e-mail is the duplicate does not depend on
-- who reads which part of the list first.

ALTER TABLE run_sightings ADD COLUMN joined_at timestamptz;

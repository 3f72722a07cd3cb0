-- What an active run has seen, by the name that the code has for it.

-- contract: no program of before runs on this schema.
ALTER TABLE run_sightings RENAME TO run_seen_profiles;

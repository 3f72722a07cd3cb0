DELETE FROM run_seen_profiles
WHERE organization_id = $1 AND run_id = $2 AND profile_id <= $3

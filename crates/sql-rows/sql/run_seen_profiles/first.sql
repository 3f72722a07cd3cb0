SELECT profile_id, with_email, joined_at FROM run_seen_profiles
WHERE organization_id = $1 AND run_id = $2
ORDER BY profile_id LIMIT $3

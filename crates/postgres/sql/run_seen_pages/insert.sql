INSERT INTO run_seen_pages (organization_id, run_id, number, profiles, with_email, joined_at)
SELECT r.organization_id, r.id, w.number, array_agg(w.profile_id), array_agg(w.with_email), array_agg(w.joined_at)
FROM sync_runs r
CROSS JOIN unnest($3::bigint[], $4::text[], $5::boolean[], $6::timestamptz[])
    AS w (number, profile_id, with_email, joined_at)
WHERE r.organization_id = $1 AND r.id = $2
GROUP BY r.organization_id, r.id, w.number

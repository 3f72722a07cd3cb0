SELECT id FROM sync_runs
WHERE organization_id = $1 AND audience_id >= $2 AND audience_id <= $2 AND finished_at < $3
  AND id <> $4 AND id <> $5
ORDER BY audience_id, id LIMIT $6

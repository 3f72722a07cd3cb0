WITH RECURSIVE seen_runs (run_id) AS (
   SELECT (SELECT run_id FROM run_seen_pages WHERE organization_id = $1
           ORDER BY run_id LIMIT 1)
   UNION ALL
   SELECT (SELECT s.run_id FROM run_seen_pages s
           WHERE s.organization_id = $1 AND s.run_id > seen_runs.run_id
           ORDER BY s.run_id LIMIT 1)
   FROM seen_runs WHERE seen_runs.run_id IS NOT NULL
)
SELECT seen_runs.run_id AS "run_id!: String" FROM seen_runs
LEFT JOIN sync_runs r ON r.organization_id = $1 AND r.id = seen_runs.run_id
WHERE seen_runs.run_id IS NOT NULL AND (r.status IS NULL OR r.status NOT IN ('PENDING', 'SYNCING'))
LIMIT 1

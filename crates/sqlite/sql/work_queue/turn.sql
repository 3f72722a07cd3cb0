-- Before this time nothing of the organization can be claimed. NULL if it has no work in the queue.
UPDATE last_claims SET due_at = (
    SELECT min(free_at) FROM (
        SELECT min(due_at) AS free_at FROM (
            SELECT due_at FROM work_queue INDEXED BY work_queue_by_turn
            WHERE organization_id = $1 AND lease_until IS NULL ORDER BY due_at LIMIT 1)
        UNION ALL
        SELECT min(lease_until) FROM work_queue INDEXED BY work_queue_leased
        WHERE organization_id = $1 AND lease_until IS NOT NULL))
WHERE organization_id = $1

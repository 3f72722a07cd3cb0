-- Before this time nothing of the organization can be claimed. NULL if it has no work in the queue.
UPDATE last_claims c SET due_at = turn.due_at FROM (
    SELECT least(
        (SELECT q.due_at FROM work_queue q WHERE q.organization_id = $1 AND q.lease_until IS NULL
         ORDER BY q.organization_id, q.due_at LIMIT 1),
        (SELECT min(q.lease_until) FROM work_queue q WHERE q.organization_id = $1 AND q.is_leased)
    ) AS due_at
) turn
WHERE c.organization_id = $1 AND c.due_at IS DISTINCT FROM turn.due_at

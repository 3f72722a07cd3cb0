-- ON CONFLICT finds each by its key, whatever the planner believes.
INSERT INTO deliveries AS d (organization_id, id, place, kind, type, status, attempts, created_at)
SELECT o.organization_id, p.id, 0, '', '', '', 0, to_timestamp(0)
FROM outboxes o CROSS JOIN unnest($2::text[]) AS w (id)
CROSS JOIN LATERAL (
    SELECT id FROM deliveries WHERE organization_id = $1 AND id = w.id AND status = 'SENT' OFFSET 0
) p
WHERE o.organization_id = $1
ON CONFLICT (organization_id, id) DO UPDATE SET code = $3

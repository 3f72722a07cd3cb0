-- Each is there: ON CONFLICT finds it by its key, whatever the planner believes.
INSERT INTO deliveries AS d (organization_id, id, place, kind, type, status, attempts, created_at)
SELECT o.organization_id, w.id, 0, '', '', '', 0, to_timestamp(0)
FROM outboxes o CROSS JOIN unnest($2::text[]) AS w (id)
WHERE o.organization_id = $1
ON CONFLICT (organization_id, id) DO UPDATE SET
   due_at = CASE WHEN d.due_at < $3 THEN $3 ELSE d.due_at END

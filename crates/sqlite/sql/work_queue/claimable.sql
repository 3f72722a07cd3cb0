SELECT token, lease_until FROM work_queue
WHERE organization_id = $1 AND kind = $2 AND id = $3
  AND due_at <= $4 AND (lease_until IS NULL OR lease_until <= $4)

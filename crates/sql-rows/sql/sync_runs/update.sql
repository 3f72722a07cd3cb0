UPDATE sync_runs SET status = $3, attempt = $4, crashes = $5, failures = $6, started_at = $7,
    finished_at = $8, members_at_start = $9, total = $10, processed = $11, created = $12,
    updated = $13, unchanged = $14, skipped = $15, members_added = $16, members_removed = $17,
    pages = $18, checkpoint = $19, error_code = $20, error_message = $21, confirm_removals = $22,
    waiting_until = $23, waiting_why = $24, form = $25, removals_deferred = $26,
    mode = $27
WHERE organization_id = $1 AND id = $2

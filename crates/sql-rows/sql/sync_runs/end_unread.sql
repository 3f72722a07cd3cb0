UPDATE sync_runs SET status = 'FAILED',
    trigger = CASE WHEN trigger IN ('IMPORT', 'MANUAL', 'SCHEDULE', 'WEBHOOK') THEN trigger ELSE 'MANUAL' END,
    attempt = 0, crashes = 0, failures = 0, confirm_removals = false,
    queued_at = CASE WHEN queued_at < $3 THEN queued_at ELSE $3 END, started_at = NULL, finished_at = $3,
    members_at_start = 0, total = NULL, processed = 0, created = 0, updated = 0, unchanged = 0, skipped = 0,
    members_added = 0, members_removed = 0, pages = 0, checkpoint = $4, error_code = $5, error_message = $6,
    waiting_until = NULL, waiting_why = NULL, form = $7, removals_deferred = false
WHERE organization_id = $1 AND id = $2 AND status NOT IN ('SUCCESS', 'FAILED')
RETURNING source_id

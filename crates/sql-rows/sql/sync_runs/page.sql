SELECT organization_id, id, source_id, audience_id, trigger, status, attempt, crashes, failures,
    confirm_removals, queued_at, started_at, finished_at, members_at_start, total, processed,
    created, updated, unchanged, skipped, members_added, members_removed, pages, checkpoint,
    error_code, error_message, waiting_until, waiting_why, form, removals_deferred
FROM sync_runs WHERE organization_id = $1 AND audience_id = $2 AND id < $3
ORDER BY id DESC LIMIT $4

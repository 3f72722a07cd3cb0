INSERT INTO sync_runs (organization_id, id, source_id, audience_id, mode, trigger, status, attempt,
    crashes, failures, confirm_removals, queued_at, members_at_start, processed, created, updated,
    unchanged, skipped, members_added, members_removed, pages, checkpoint)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, $8, $9, 0, 0, 0, 0, 0, 0, 0, 0, 0, $10)

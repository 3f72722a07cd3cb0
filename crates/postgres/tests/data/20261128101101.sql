-- A run that waits for Klaviyo.

INSERT INTO sync_sources (organization_id, id, sync_source, sync_source_id, audience_id, sync_status,
    source_data, created_at, created_by, archived)
VALUES ('org_c', 'sync_w', 'klaviyo:list', 'WaItEd', 'aud_w', 'SYNCING', '{}', '2023-11-14 22:13:20Z', 'key_a', false);
INSERT INTO audiences (organization_id, id, source_id, name, named_by_hand, created_at, created_by, archived)
VALUES ('org_c', 'aud_w', 'sync_w', 'Waited for', false, '2023-11-14 22:13:20Z', 'key_a', false);
INSERT INTO sync_runs (organization_id, id, source_id, audience_id, mode, trigger, status, attempt, crashes,
    failures, confirm_removals, queued_at, members_at_start, processed, created, updated, unchanged, skipped,
    members_added, members_removed, pages, checkpoint, waiting_until, waiting_why, form)
VALUES ('org_c', 'run_w', 'sync_w', 'aud_w', 'FULL', 'MANUAL', 'SYNCING', 1, 0, 0, false, '2023-11-14 22:13:20Z', 0, 0, 0, 0,
    0, 0, 0, 0, 0, '{}', '2100-01-01 00:00:00Z', 'retry_after', 1);

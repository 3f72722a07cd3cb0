-- As a program that syncs audiences by itself: one is due, and its source has been away before.

INSERT INTO schedules (organization_id, audience_id, due_at) VALUES ('org_a', 'aud_a', '2023-11-14T22:13:20Z');
UPDATE sync_sources SET last_full_pass_at = '2023-11-14T22:13:20Z', paused_by = 'source_gone'
WHERE organization_id = 'org_a' AND audience_id = 'aud_a';

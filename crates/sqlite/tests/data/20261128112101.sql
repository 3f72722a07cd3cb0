-- As a program that syncs audiences by itself: one is due, and its source has been away before.

INSERT INTO schedules (organization_id, audience_id, due_at) VALUES ('org_a', 'aud_a', 1700000000000000);
UPDATE sync_sources SET last_full_pass_at = 1700000000000000, paused_by = 'source_gone'
WHERE organization_id = 'org_a' AND audience_id = 'aud_a';

-- As a program that held a pass's removals until a user confirms them.

UPDATE sync_sources SET members_at_success = 195, removals_held = 1
WHERE organization_id = 'org_a' AND audience_id = 'aud_a';

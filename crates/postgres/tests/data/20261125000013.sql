-- What the first version wrote: a merchant in the middle of a second pass over a list.

INSERT INTO organizations (id, name, created_at) VALUES ('org_a', 'Shop', '2023-11-14 22:13:20Z');
INSERT INTO api_keys (id, organization_id, role, kind, hash, created_at, revoked_at)
VALUES ('key_a', 'org_a', 'owner', 'live', '\x0000000000000000000000000000000000000000000000000000000000000000', '2023-11-14 22:13:20Z', NULL);
INSERT INTO quota_buckets (account, endpoint, burst_limit, steady_limit, burst_since, burst_used,
    steady_since, steady_used, blocked_until)
VALUES ('account:AbC123', 'lists', 75, 750, '2023-11-14 22:13:20Z', 3, '2023-11-14 22:13:20Z', 30, '2100-01-01 00:00:00Z');
INSERT INTO klaviyo_connections (organization_id, master_key_version, sealed_key, last4, account_id, status,
    verified_at, missing_scopes, message)
VALUES ('org_a', 1, '\x00ff', 'wxyz', 'AbC123', 'ACTIVE', '2023-11-14 22:13:20Z', '{segments:read}', NULL);
INSERT INTO sync_sources (organization_id, id, sync_source, sync_source_id, audience_id, sync_status,
    last_synced_at, source_data, created_at, created_by, updated_at, archived)
VALUES ('org_a', 'sync_a', 'klaviyo:list', 'RtPqXs', 'aud_a', 'SYNCING', '2023-11-14 22:13:20Z',
    '{"name":"Newsletter","lastRunId":"run_b"}', '2023-11-14 22:13:20Z', 'key_a', '2023-11-14 22:13:20Z', false);
INSERT INTO audiences (organization_id, id, source_id, name, named_by_hand, created_at, created_by, archived)
VALUES ('org_a', 'aud_a', 'sync_a', 'Newsletter', false, '2023-11-14 22:13:20Z', 'key_a', false);
INSERT INTO consumers (organization_id, id, email, phone, phone_updated, phone_profile, full_name,
    full_name_updated, full_name_profile, primary_profile, primary_updated, primary_source_id, created_at,
    created_by)
VALUES ('org_a', 'cons_a', 'ada@example.com', '+12025550101', '2023-11-14 22:13:20Z', 'p1', 'Ada', NULL, 'p2', 'p1', '2023-11-14 22:13:20Z',
    'sync_p1', '2023-11-14 22:13:20Z', 'system:klaviyo'),
    ('org_a', 'cons_b', NULL, '+12025550102', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2023-11-14 22:13:20Z', 'user');
INSERT INTO profile_links (organization_id, profile_id, source_id, consumer_id, profile_updated, changed_at,
    created_at)
VALUES ('org_a', 'p1', 'sync_p1', 'cons_a', '2023-11-14 22:13:20Z', '2023-11-14 22:13:20Z', '2023-11-14 22:13:20Z'), ('org_a', 'p2', 'sync_p2', 'cons_a', NULL, '2023-11-14 22:13:20Z', '2023-11-14 22:13:20Z');
INSERT INTO sync_runs (organization_id, id, source_id, audience_id, mode, trigger, status, attempt, crashes,
    failures, confirm_removals, queued_at, started_at, finished_at, members_at_start, total, processed, created,
    updated, unchanged, skipped, members_added, members_removed, pages, checkpoint, links_moved)
VALUES ('org_a', 'run_a', 'sync_a', 'aud_a', 'FULL', 'IMPORT', 'SUCCESS', 1, 0, 0, false, '2023-11-14 22:13:20Z', '2023-11-14 22:13:20Z', '2023-11-14 22:13:20Z', 0, 2, 2,
        2, 0, 0, 0, 1, 0, 1, '{"phase":{"Adding":null},"readers":[]}', false),
    ('org_a', 'run_b', 'sync_a', 'aud_a', 'FULL', 'MANUAL', 'SYNCING', 2, 1, 0, true, '2023-11-14 22:13:20Z', '2023-11-14 22:13:20Z', NULL, 1, 2, 1,
        0, 0, 1, 0, 0, 0, 1, '{"phase":"Reading","readers":[{"number":0}]}', true);
INSERT INTO run_queue (organization_id, run_id, due_at, lease_until, token, ring_at)
VALUES ('org_a', 'run_b', '2023-11-14 22:13:20Z', '2023-11-14 22:13:20Z', 7, '2023-11-14 22:13:20Z');
INSERT INTO run_turns (organization_id, served_at) VALUES ('org_a', '2023-11-14 22:13:20Z');
INSERT INTO audience_list_memberships (organization_id, audience_id, consumer_id, run_id, created_at)
VALUES ('org_a', 'aud_a', 'cons_a', 'run_a', '2023-11-14 22:13:20Z');
INSERT INTO run_sightings (organization_id, run_id, profile_id, with_email, joined_at)
VALUES ('org_a', 'run_b', 'p1', true, '2023-11-14 22:13:20Z');
INSERT INTO sync_issues (organization_id, run_id, profile_id, code, field, at)
VALUES ('org_a', 'run_a', 'p2', 'duplicate_email', 'email', '2023-11-14 22:13:20Z');

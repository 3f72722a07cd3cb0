-- As a program that removes nobody while a segment is being computed.

UPDATE sync_runs SET removals_deferred = 1 WHERE organization_id = 'org_a' AND id = 'run_a';

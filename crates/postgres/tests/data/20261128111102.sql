-- A snapshot of before the member came.
INSERT INTO snapshots (organization_id, audience_id, id, name, at, members)
VALUES ('org_a', 'aud_a', 'snap_a', 'Before', to_timestamp(1600000000), 0);

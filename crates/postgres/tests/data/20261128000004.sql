INSERT INTO consumers (organization_id, id, phone, stamps, created_at, created_by)
VALUES ('org_a', 'cons_c', '+12025550103', '{"phone":{"updated":1700000000000000,"profile":"p3"}}', '2023-11-14 22:13:20Z', 'system:klaviyo');

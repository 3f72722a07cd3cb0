-- As a program that was stopped before it had written the texts of all rows.

INSERT INTO consumers (organization_id, id, email, full_name, search_text, stamps, created_at, created_by)
VALUES ('org_a', 'cons_d', 'asa@example.com', 'ÅSA Straße', '', '{}', 1700000000000000, 'system:klaviyo');

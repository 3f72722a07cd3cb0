-- As a program that takes contacts to Klaviyo.
UPDATE consumers SET metadata = '{"tier":"\"gold\""}' WHERE organization_id = 'org_a' AND id = 'cons_b';
INSERT INTO contact_settings (organization_id, enabled, winner, create_profiles) VALUES ('org_a', 1, 'FANFARE', 0);
INSERT INTO contacts (organization_id, consumer_id, state)
VALUES ('org_a', 'cons_a', '{"profile":"p1","fields":{"phone_number":{"base":null,"turns":{"last":[],"held_until":null},"unchanged_at":null}},"tried_at":null,"written":null}');

-- As a program that takes Fanfare's webhooks.
INSERT INTO webhook_secrets (organization_id, master_key_version, sealed_secret, previous_master_key_version,
    previous_sealed_secret, previous_until)
VALUES ('org_a', 1, '\x0102', NULL, NULL, NULL);
INSERT INTO event_settings (organization_id, enabled, metrics)
VALUES ('org_a', true, '{"draw.consumer.lost":null,"unheard.of":"Unheard"}');
INSERT INTO inbound_events (organization_id, key, received_at) VALUES ('org_a', 'k1', to_timestamp(1700000000));

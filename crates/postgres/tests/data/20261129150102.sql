-- As a program that sends events.
INSERT INTO outboxes (organization_id, last_place, account_id) VALUES ('org_a', 1, 'AbC123');
INSERT INTO deliveries (organization_id, id, place, kind, type, consumer_id, target, status, attempts, created_at, due_at, payload)
VALUES ('org_a', 'dlv_a', 1, 'EVENT', 'draw.consumer.won', 'cons_a', 'Fanfare Draw Winner', 'PENDING', 0, to_timestamp(1700000000),
    to_timestamp(1700000000), '{"unique_id":"whk_1","metric":"Fanfare Draw Winner","person":{"profile":"p1","email":null,"phone":null,"external_id":null},"at":1700000000000000,"properties":"{\"draw_id\":\"draw_1\"}","value":{"amount":"49.90","currency":"EUR"},"backfill":false}');
INSERT INTO delivery_counts (organization_id, kind, status, deliveries) VALUES ('org_a', 'EVENT', 'PENDING', 1);

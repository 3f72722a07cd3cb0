-- What Klaviyo is to be told, in the order of `place`, until it was told; and how many there are.
--
-- An organization's row of `outboxes` counts the places, and says for which Klaviyo account pending deliveries are. A delivery
-- is pending while it has a `due_at`. `payload` is what is sent, frozen when the delivery is written, and goes when it was sent
-- or dropped.

CREATE TABLE outboxes (
    organization_id text   COLLATE "C" PRIMARY KEY,
    last_place      bigint NOT NULL,
    account_id      text   COLLATE "C"
) WITH (fillfactor = 50);

ALTER TABLE outboxes ENABLE ROW LEVEL SECURITY;
ALTER TABLE outboxes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON outboxes
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON outboxes TO fanfare_app;

CREATE TABLE deliveries (
    organization_id text        COLLATE "C" NOT NULL,
    id              text        COLLATE "C" NOT NULL,
    place           bigint      NOT NULL,
    kind            text        COLLATE "C" NOT NULL,
    type            text        COLLATE "C" NOT NULL,
    consumer_id     text        COLLATE "C",
    target          text        COLLATE "C",
    status          text        COLLATE "C" NOT NULL,
    attempts        bigint      NOT NULL,
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz,
    due_at          timestamptz,
    first_tried_at  timestamptz,
    purchase        text        COLLATE "C",
    payload         text        COLLATE "C",
    code            text        COLLATE "C",
    detail          text        COLLATE "C",
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX deliveries_by_place ON deliveries (organization_id, place) WHERE place IS NOT NULL;
CREATE INDEX deliveries_by_status ON deliveries (organization_id, status, place) WHERE status IS NOT NULL;
CREATE INDEX deliveries_of_consumer ON deliveries (organization_id, consumer_id, place) WHERE consumer_id IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (organization_id, due_at, place) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_pending_of_consumer
    ON deliveries (organization_id, consumer_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_of_purchase ON deliveries (organization_id, purchase, place) WHERE purchase IS NOT NULL;

ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON deliveries
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON deliveries TO fanfare_app;

CREATE TABLE delivery_counts (
    organization_id text   COLLATE "C" NOT NULL,
    kind            text   COLLATE "C" NOT NULL,
    status          text   COLLATE "C" NOT NULL,
    deliveries      bigint NOT NULL,
    PRIMARY KEY (organization_id, kind, status)
) WITH (fillfactor = 50);

ALTER TABLE delivery_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON delivery_counts
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery_counts TO fanfare_app;

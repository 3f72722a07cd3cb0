-- What Klaviyo is to be told, in the order of `place`, until it was told; and how many there are.
--
-- An organization's row of `outboxes` counts the places, and says for which Klaviyo account pending deliveries are. A delivery
-- is pending while it has a `due_at`. `payload` is what is sent, frozen when the delivery is written, and goes when it was sent
-- or dropped.

CREATE TABLE outboxes (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    last_place      INTEGER NOT NULL,
    account_id      TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    organization_id TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    place           INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    type            TEXT    NOT NULL,
    consumer_id     TEXT,
    target          TEXT,
    status          TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    sent_at         INTEGER,
    due_at          INTEGER,
    first_tried_at  INTEGER,
    purchase        TEXT,
    payload         TEXT,
    code            TEXT,
    detail          TEXT,
    PRIMARY KEY (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_by_place ON deliveries (organization_id, place);
CREATE INDEX deliveries_by_status ON deliveries (organization_id, status, place);
CREATE INDEX deliveries_of_consumer ON deliveries (organization_id, consumer_id, place) WHERE consumer_id IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (organization_id, due_at, place) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_pending_of_consumer
    ON deliveries (organization_id, consumer_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_of_purchase ON deliveries (organization_id, purchase, place) WHERE purchase IS NOT NULL;

CREATE TABLE delivery_counts (
    organization_id TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    deliveries      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, kind, status)
) STRICT, WITHOUT ROWID;

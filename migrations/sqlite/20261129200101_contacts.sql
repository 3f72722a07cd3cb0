-- Contacts that both sides write: what Fanfare keeps of a consumer beside what Klaviyo has, what the merchant has chosen, and what
-- is remembered of each person of whom Klaviyo is told changes (`fanfare_domain::contact::Contact`, as JSON).

ALTER TABLE consumers ADD COLUMN metadata TEXT;

CREATE TABLE contact_settings (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    enabled         INTEGER NOT NULL,
    winner          TEXT    NOT NULL,
    create_profiles INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    organization_id TEXT    NOT NULL,
    consumer_id     TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    PRIMARY KEY (organization_id, consumer_id)
) STRICT, WITHOUT ROWID;

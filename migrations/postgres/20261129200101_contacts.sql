-- Contacts that both sides write: what Fanfare keeps of a consumer beside what Klaviyo has, what the merchant has chosen, and what
-- is remembered of each person of whom Klaviyo is told changes (`fanfare_domain::contact::Contact`, as JSON).

ALTER TABLE consumers ADD COLUMN metadata jsonb;

CREATE TABLE contact_settings (
    organization_id text    COLLATE "C" PRIMARY KEY,
    enabled         boolean NOT NULL,
    winner          text    COLLATE "C" NOT NULL,
    create_profiles boolean NOT NULL
);

ALTER TABLE contact_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON contact_settings
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_settings TO fanfare_app;

CREATE TABLE contacts (
    organization_id text  COLLATE "C" NOT NULL,
    consumer_id     text  COLLATE "C" NOT NULL,
    state           jsonb NOT NULL,
    PRIMARY KEY (organization_id, consumer_id)
);

ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON contacts
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO fanfare_app;

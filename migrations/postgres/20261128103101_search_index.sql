-- The index of searches (`fanfare_domain::search_index`): an organization's consumers in sections, each of a few
-- thousand that follow each other by id. A search reads few of these rows, by their keys, and then the texts of those
-- whom they name. Nothing of it is true by itself: programs make it of `consumers`, where it is missing too.

-- A section reaches from the one before, whose `last_id` it does not hold, to its own `last_id`. Consumers after the
-- last section are in none yet.
CREATE TABLE search_sections (
    organization_id text COLLATE "C" NOT NULL,
    last_id         text COLLATE "C" NOT NULL,
    PRIMARY KEY (organization_id, last_id)
);

-- The lists of a section's grams, in blocks of about a kilobyte.
CREATE TABLE search_blocks (
    organization_id text   COLLATE "C" NOT NULL,
    section         text   COLLATE "C" NOT NULL, -- its `last_id`
    first_gram      bigint NOT NULL,
    lists           bytea  NOT NULL,
    PRIMARY KEY (organization_id, section, first_gram)
);

-- Who is at which place of a section: the ids of 64 places each, as a JSON array.
CREATE TABLE search_places (
    organization_id text   COLLATE "C" NOT NULL,
    section         text   COLLATE "C" NOT NULL,
    number          bigint NOT NULL,
    ids             text   NOT NULL,
    PRIMARY KEY (organization_id, section, number)
);

-- Consumers within a section whose texts it does not have as they are now.
CREATE TABLE search_pending (
    organization_id text COLLATE "C" NOT NULL,
    consumer_id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (organization_id, consumer_id)
);

ALTER TABLE search_sections ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_sections FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON search_sections
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON search_sections TO fanfare_app;

ALTER TABLE search_blocks ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_blocks FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON search_blocks
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON search_blocks TO fanfare_app;

ALTER TABLE search_places ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_places FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON search_places
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON search_places TO fanfare_app;

ALTER TABLE search_pending ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_pending FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON search_pending
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON search_pending TO fanfare_app;

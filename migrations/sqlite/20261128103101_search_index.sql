-- The index of searches (`fanfare_domain::search_index`): an organization's consumers in sections, each of a few
-- thousand that follow each other by id. A search reads few of these rows, by their keys, and then the texts of those
-- whom they name. Nothing of it is true by itself: programs make it of `consumers`, where it is missing too.

-- A section reaches from the one before, whose `last_id` it does not hold, to its own `last_id`. Consumers after the
-- last section are in none yet.
CREATE TABLE search_sections (
    organization_id TEXT NOT NULL,
    last_id         TEXT NOT NULL,
    PRIMARY KEY (organization_id, last_id)
) STRICT, WITHOUT ROWID;

-- The lists of a section's grams, in blocks of about a kilobyte.
CREATE TABLE search_blocks (
    organization_id TEXT    NOT NULL,
    section         TEXT    NOT NULL, -- its `last_id`
    first_gram      INTEGER NOT NULL,
    lists           BLOB    NOT NULL,
    PRIMARY KEY (organization_id, section, first_gram)
) STRICT, WITHOUT ROWID;

-- Who is at which place of a section: the ids of 64 places each, as a JSON array.
CREATE TABLE search_places (
    organization_id TEXT    NOT NULL,
    section         TEXT    NOT NULL,
    number          INTEGER NOT NULL,
    ids             TEXT    NOT NULL,
    PRIMARY KEY (organization_id, section, number)
) STRICT, WITHOUT ROWID;

-- Consumers within a section whose texts it does not have as they are now.
CREATE TABLE search_pending (
    organization_id TEXT NOT NULL,
    consumer_id     TEXT NOT NULL,
    PRIMARY KEY (organization_id, consumer_id)
) STRICT, WITHOUT ROWID;

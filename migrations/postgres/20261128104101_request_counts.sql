-- How many requests of the present minute each organization has made to the API, as all processes count them. A
-- control table.
--
-- A row is overwritten again and again. No index but the key and room in the page: the new version stays beside
-- the old one, which the next access clears away.

CREATE TABLE request_counts (
    organization_id text   COLLATE "C" PRIMARY KEY,
    minute          bigint NOT NULL,
    taken           bigint NOT NULL,
    granted         bigint NOT NULL
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE ON request_counts TO fanfare_app;

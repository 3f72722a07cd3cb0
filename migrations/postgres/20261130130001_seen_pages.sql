-- What an active run has seen, ninety profiles in a row: a row for each of them took a tenth of an import. The arrays belong together.
-- This version reads such rows, and the next one writes them. A row of ninety has 4 kB and stays in the table as it is: to compress it
-- would cost more than it saves.

CREATE TABLE run_seen_pages (
    organization_id text          COLLATE "C" NOT NULL,
    run_id          text          COLLATE "C" NOT NULL,
    number          bigint        NOT NULL,
    profiles        text[]        COLLATE "C" NOT NULL,
    with_email      boolean[]     NOT NULL,
    joined_at       timestamptz[] NOT NULL,
    PRIMARY KEY (organization_id, run_id, number)
) WITH (toast_tuple_target = 8160);

ALTER TABLE run_seen_pages ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_seen_pages FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON run_seen_pages
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON run_seen_pages TO fanfare_app;

-- As 20261130100001 did for the other tables.
-- locks: it changes the catalog alone, of a table that was made a moment ago.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
        ALTER POLICY own_organization ON run_seen_pages
            USING (organization_id = (SELECT current_setting('fanfare.organization_id', true)));
    END IF;
END
$$;

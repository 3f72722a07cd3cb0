-- What an active run has seen, ninety profiles in a row: a row for each of them took a fifth of an import. `profiles` is a JSON array
-- of arrays: a profile, whether it had a usable e-mail, and when it joined the list. This version reads such rows, and
-- the next one writes them.

CREATE TABLE run_seen_pages (
    organization_id TEXT    NOT NULL,
    run_id          TEXT    NOT NULL,
    number          INTEGER NOT NULL,
    profiles        TEXT    NOT NULL,
    PRIMARY KEY (organization_id, run_id, number)
) STRICT, WITHOUT ROWID;

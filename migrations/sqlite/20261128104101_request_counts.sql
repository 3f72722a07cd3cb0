-- How many requests of the present minute each organization has made to the API, as all processes count them. A
-- control table. It is used in the file beside the store (`crates/sqlite/src/ledger_file.rs`), where a request waits
-- for no page; here checked statements are checked.

CREATE TABLE request_counts (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    minute          INTEGER NOT NULL,
    taken           INTEGER NOT NULL,
    granted         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

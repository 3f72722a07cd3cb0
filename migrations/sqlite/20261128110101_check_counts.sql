-- How many people each organization has asked for in checks of the present minute, as all processes count them. A
-- control table like `request_counts`, and used in the same file beside the store.

CREATE TABLE check_counts (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    minute          INTEGER NOT NULL,
    taken           INTEGER NOT NULL,
    granted         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

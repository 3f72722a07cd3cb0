-- An organization's connection to Klaviyo, its key sealed.

CREATE TABLE klaviyo_connections (
    organization_id    TEXT    NOT NULL PRIMARY KEY,
    master_key_version INTEGER NOT NULL,
    sealed_key         BLOB    NOT NULL,
    last4              TEXT    NOT NULL,
    account_id         TEXT,
    status             TEXT    NOT NULL,
    verified_at        INTEGER NOT NULL,
    missing_scopes     TEXT    NOT NULL, -- JSON array
    message            TEXT
) STRICT, WITHOUT ROWID;

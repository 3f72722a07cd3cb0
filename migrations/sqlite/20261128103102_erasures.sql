-- Erased people: keyed hashes of what named them, so that no later pass brings them back, and the key of an
-- organization's hashes, sealed by the master key.

CREATE TABLE erased_people (
    organization_id TEXT    NOT NULL,
    hash            TEXT    NOT NULL,
    erased_at       INTEGER NOT NULL,
    PRIMARY KEY (organization_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE erasure_keys (
    organization_id    TEXT    NOT NULL PRIMARY KEY,
    master_key_version INTEGER NOT NULL,
    sealed_key         BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sync_issues_of_profile ON sync_issues (organization_id, profile_id);

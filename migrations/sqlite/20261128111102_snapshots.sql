-- Moments of an audience that are kept by a name. The members then are told by the memberships, which stay as long as a
-- snapshot needs them; `members` is their number as it was taken.

CREATE TABLE snapshots (
    organization_id TEXT    NOT NULL,
    audience_id     TEXT    NOT NULL,
    id              TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    members         INTEGER NOT NULL,
    PRIMARY KEY (organization_id, audience_id, id)
) STRICT, WITHOUT ROWID;

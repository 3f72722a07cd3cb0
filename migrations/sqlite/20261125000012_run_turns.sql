-- When an organization's run was last taken up: of two with equally many runs at work, the one that was
-- served longest ago is next.

CREATE TABLE run_turns (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    served_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

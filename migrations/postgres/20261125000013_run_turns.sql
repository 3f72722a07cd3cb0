-- When an organization's run was last taken up: of two with equally many runs at work, the one that was
-- served longest ago is next. A control table beside the queue of due runs.

CREATE TABLE run_turns (
    organization_id text        COLLATE "C" PRIMARY KEY,
    served_at       timestamptz NOT NULL
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE ON run_turns TO fanfare_app;

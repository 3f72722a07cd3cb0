-- Klaviyo's quota as all processes together use it. A control table.

CREATE TABLE quota_buckets (
    account       TEXT    NOT NULL,
    endpoint      TEXT    NOT NULL,
    burst_limit   INTEGER NOT NULL,
    steady_limit  INTEGER NOT NULL,
    burst_since   INTEGER NOT NULL,
    burst_used    INTEGER NOT NULL,
    steady_since  INTEGER NOT NULL,
    steady_used   INTEGER NOT NULL,
    blocked_until INTEGER,
    PRIMARY KEY (account, endpoint)
) STRICT, WITHOUT ROWID;

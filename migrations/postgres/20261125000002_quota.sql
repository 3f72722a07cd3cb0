-- Klaviyo's quota as all processes together use it. A control table.
--
-- A row is overwritten with each request to Klaviyo. No index but the key and room in the page: the
-- new version stays beside the old one, which the next access clears away.

CREATE TABLE quota_buckets (
    account       text        COLLATE "C" NOT NULL,
    endpoint      text        COLLATE "C" NOT NULL,
    burst_limit   bigint      NOT NULL,
    steady_limit  bigint      NOT NULL,
    burst_since   timestamptz NOT NULL,
    burst_used    bigint      NOT NULL,
    steady_since  timestamptz NOT NULL,
    steady_used   bigint      NOT NULL,
    blocked_until timestamptz,
    PRIMARY KEY (account, endpoint)
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE ON quota_buckets TO fanfare_app;

-- Memberships that ended, each with its beginning and its end. A membership that is there has its beginning itself.
-- `history_from` is the time since which an audience's history is whole: NULL from the beginning. Of audiences that are
-- there already nobody has kept who left, so theirs begins now.

CREATE TABLE ended_memberships (
    organization_id text        COLLATE "C" NOT NULL,
    audience_id     text        COLLATE "C" NOT NULL,
    consumer_id     text        COLLATE "C" NOT NULL,
    ended_at        timestamptz NOT NULL,
    began_at        timestamptz NOT NULL,
    joined_by       text        COLLATE "C" NOT NULL, -- the run that added the member
    left_by         text        COLLATE "C" NOT NULL, -- the run that removed the member
    PRIMARY KEY (organization_id, audience_id, consumer_id, ended_at)
);

CREATE INDEX ended_memberships_by_end
    ON ended_memberships (organization_id, audience_id, ended_at, consumer_id) WHERE ended_at IS NOT NULL;
CREATE INDEX ended_memberships_by_beginning
    ON ended_memberships (organization_id, audience_id, began_at, consumer_id) WHERE began_at IS NOT NULL;

ALTER TABLE ended_memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE ended_memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON ended_memberships
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, DELETE ON ended_memberships TO fanfare_app;

-- The default is the value of the rows that are there, and of no others.
ALTER TABLE audiences ADD COLUMN history_from timestamptz DEFAULT now();
ALTER TABLE audiences ALTER COLUMN history_from DROP DEFAULT;

-- Memberships that ended, each with its beginning and its end. A membership that is there has its beginning itself.
-- `history_from` is the time since which an audience's history is whole: NULL from the beginning. Of audiences that are
-- there already nobody has kept who left, so theirs begins now.

CREATE TABLE ended_memberships (
    organization_id TEXT    NOT NULL,
    audience_id     TEXT    NOT NULL,
    consumer_id     TEXT    NOT NULL,
    ended_at        INTEGER NOT NULL,
    began_at        INTEGER NOT NULL,
    joined_by       TEXT    NOT NULL, -- the run that added the member
    left_by         TEXT    NOT NULL, -- the run that removed the member
    PRIMARY KEY (organization_id, audience_id, consumer_id, ended_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX ended_memberships_by_end ON ended_memberships (organization_id, audience_id, ended_at, consumer_id);
CREATE INDEX ended_memberships_by_beginning ON ended_memberships (organization_id, audience_id, began_at, consumer_id);

ALTER TABLE audiences ADD COLUMN history_from INTEGER;
-- locks: audiences are few.
UPDATE audiences SET history_from = unixepoch() * 1000000;

-- How often pages have moved a profile from one consumer to another: a pass that remembers the number from
-- its start knows whether the members that its pages added can differ from the consumers of what it has seen.

CREATE TABLE link_moves (
    organization_id TEXT    NOT NULL PRIMARY KEY,
    moves           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- contract: a pass compares two numbers instead; runs that are active now begin again with their list.
ALTER TABLE sync_runs DROP COLUMN links_moved;

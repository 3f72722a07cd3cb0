-- How often pages have moved a profile from one consumer to another: a pass that remembers the number from
-- its start knows whether the members that its pages added can differ from the consumers of what it has seen.

CREATE TABLE link_moves (
    organization_id text   COLLATE "C" PRIMARY KEY,
    moves           bigint NOT NULL
) WITH (fillfactor = 50);

ALTER TABLE link_moves ENABLE ROW LEVEL SECURITY;
ALTER TABLE link_moves FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON link_moves
    USING (organization_id = current_setting('fanfare.organization_id', true));
GRANT SELECT, INSERT, UPDATE ON link_moves TO fanfare_app;

-- contract: a pass compares two numbers instead; runs that are active now begin again with their list.
ALTER TABLE sync_runs DROP COLUMN links_moved;

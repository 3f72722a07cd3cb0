-- Every index beside a primary key is partial, on a condition that a look-up by the primary key does not imply:
-- whatever the planner believes of an organization, such a look-up has no other index to choose, by which it
-- would read all of the organization's rows.
--
-- Not CONCURRENTLY: in one transaction the indexes are all there or none, and the migration can be tried again.

-- locks: programs of another version are stopped while this runs: they refuse a schema that is not theirs.
CREATE INDEX profile_links_of_consumer
    ON profile_links (organization_id, consumer_id) WHERE consumer_id IS NOT NULL;
DROP INDEX profile_links_by_consumer;

-- locks: as above.
CREATE UNIQUE INDEX profile_links_one_per_source
    ON profile_links (organization_id, source_id) WHERE source_id IS NOT NULL;
DROP INDEX profile_links_by_source;

-- locks: as above.
CREATE INDEX sync_runs_of_audience
    ON sync_runs (organization_id, audience_id, id) WHERE audience_id IS NOT NULL;
DROP INDEX sync_runs_by_audience;

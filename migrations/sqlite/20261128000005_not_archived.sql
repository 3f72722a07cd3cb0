-- The conditions of these indexes are written as statements write them on both databases, `NOT archived`:
-- SQLite uses a partial index only where a statement repeats its condition.
--
-- Programs of another version are stopped while this runs: they refuse a schema that is not theirs.

DROP INDEX sync_sources_one_per_collection;
CREATE UNIQUE INDEX sync_sources_one_per_collection
    ON sync_sources (organization_id, sync_source, sync_source_id) WHERE NOT archived;

DROP INDEX audiences_by_name;
CREATE INDEX audiences_by_name ON audiences (organization_id, name) WHERE NOT archived;

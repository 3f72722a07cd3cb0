-- The members of an audience by when they became members, so that its changes are read from any time on.
--
-- Not CONCURRENTLY: that waits for every transaction, also for the one in which another migrator waits for this one.

-- locks: pages of syncs wait while it is built, some seconds for a million members, and are tried again.
CREATE INDEX audience_list_memberships_by_beginning
    ON audience_list_memberships (organization_id, audience_id, created_at, consumer_id) WHERE created_at IS NOT NULL;

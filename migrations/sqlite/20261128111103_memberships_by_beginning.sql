-- The members of an audience by when they became members, so that its changes are read from any time on.

CREATE INDEX audience_list_memberships_by_beginning
    ON audience_list_memberships (organization_id, audience_id, created_at, consumer_id);

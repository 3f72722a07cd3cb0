-- A foreign key looks for each row of a page, locks what it finds and writes that to the log: a sixth of
-- a page's time. The store looks once for each page, as it does for the audience. Consumers are never
-- deleted, and the role of the programs has no right to.

ALTER TABLE profile_links DROP CONSTRAINT profile_links_organization_id_consumer_id_fkey;
ALTER TABLE audience_list_memberships
    DROP CONSTRAINT audience_list_memberships_organization_id_consumer_id_fkey;

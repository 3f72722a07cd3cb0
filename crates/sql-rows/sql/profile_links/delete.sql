DELETE FROM profile_links WHERE organization_id = $1 AND profile_id = $2

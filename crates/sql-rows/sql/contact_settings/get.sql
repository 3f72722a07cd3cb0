SELECT enabled, winner, create_profiles FROM contact_settings WHERE organization_id = $1

SELECT push_limit FROM push_settings WHERE organization_id = $1

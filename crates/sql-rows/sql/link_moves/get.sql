SELECT moves FROM link_moves WHERE organization_id = $1

SELECT changes_began_at, changes_next_at, changes_reader FROM klaviyo_connections WHERE organization_id = $1

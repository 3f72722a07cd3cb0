DELETE FROM klaviyo_connections WHERE organization_id = $1

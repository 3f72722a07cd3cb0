UPDATE audiences SET refresh_interval_seconds = NULL
WHERE organization_id = $1 AND id > $2 AND refresh_interval_seconds IS NOT NULL

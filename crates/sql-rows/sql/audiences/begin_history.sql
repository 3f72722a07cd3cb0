UPDATE audiences SET history_from = $3
WHERE organization_id = $1 AND id = $2 AND (history_from IS NULL OR history_from < $3)

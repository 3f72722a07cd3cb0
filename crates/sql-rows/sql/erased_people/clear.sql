DELETE FROM erased_people WHERE organization_id = $1 AND hash > $2

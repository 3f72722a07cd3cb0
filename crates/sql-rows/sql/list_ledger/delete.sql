DELETE FROM list_ledger WHERE organization_id = $1 AND list_id = $2 AND profile_id = $3

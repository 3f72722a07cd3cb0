DELETE FROM sync_issues WHERE organization_id = $1 AND run_id = $2 AND profile_id = $3

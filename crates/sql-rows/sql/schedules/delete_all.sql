DELETE FROM schedules WHERE organization_id = $1

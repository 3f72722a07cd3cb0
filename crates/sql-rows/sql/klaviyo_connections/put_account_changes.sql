UPDATE klaviyo_connections SET changes_began_at = $2, changes_next_at = $3, changes_reader = $4
WHERE organization_id = $1
  AND changes_began_at IS NOT DISTINCT FROM $5 AND changes_reader IS NOT DISTINCT FROM $6

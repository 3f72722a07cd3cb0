SELECT EXISTS (
    SELECT 1 FROM audiences INDEXED BY audiences_by_name
    WHERE organization_id = $1 AND name = $2 AND NOT archived AND id <> $3
) AS "is_taken!: bool"

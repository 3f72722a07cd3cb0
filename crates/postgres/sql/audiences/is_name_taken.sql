SELECT EXISTS (
    SELECT FROM audiences
    WHERE organization_id = $1 AND name_hash = hashtextextended($2, 0) AND name = $2
        AND NOT archived AND id <> $3
) AS "is_taken!"

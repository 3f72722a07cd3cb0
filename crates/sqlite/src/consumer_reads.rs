//! From where each read of consumers takes its rows.
//!
//! The select list stands once, in `select_consumers!` of `fanfare-sql-rows`. sqlx takes a statement as literals, so
//! what follows the list is a literal too. `CROSS JOIN` fixes the order in which SQLite joins.

/// A checked query for the consumers that the first word names.
macro_rules! read_consumers {
    (by_id, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM consumers c LEFT JOIN profile_links l
              ON l.organization_id = $1 AND l.profile_id = c.primary_profile
            WHERE c.organization_id = $1 AND c.id = $2"#,
            $($parameter)*
        )
    };
    (lookup, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM (
               SELECT id FROM consumers WHERE organization_id = $1 AND email = $2
               UNION ALL
               SELECT id FROM consumers WHERE organization_id = $1 AND phone = $3
               UNION ALL
               SELECT consumer_id FROM profile_links
               WHERE organization_id = $1 AND profile_id = $4
            ) f
            CROSS JOIN consumers c ON c.organization_id = $1 AND c.id = f.id
            LEFT JOIN profile_links l
              ON l.organization_id = $1 AND l.profile_id = c.primary_profile
            ORDER BY c.id LIMIT 100"#,
            $($parameter)*
        )
    };
    (of_audience, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM audience_list_memberships m
            CROSS JOIN consumers c ON c.organization_id = $1 AND c.id = m.consumer_id
            LEFT JOIN profile_links l
              ON l.organization_id = $1 AND l.profile_id = c.primary_profile
            WHERE m.organization_id = $1 AND m.audience_id = $7 AND m.consumer_id > $2
              AND ($3 IS NULL OR c.search_text LIKE $3 ESCAPE '\')
              AND ($4 IS NULL OR c.created_at > $4) AND ($5 IS NULL OR c.created_at < $5)
            ORDER BY m.consumer_id LIMIT $6"#,
            $($parameter)*
        )
    };
    (in_order, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM consumers c LEFT JOIN profile_links l
              ON l.organization_id = $1 AND l.profile_id = c.primary_profile
            WHERE c.organization_id = $1 AND c.id > $2
              AND ($3 IS NULL OR c.search_text LIKE $3 ESCAPE '\')
              AND ($4 IS NULL OR c.created_at > $4) AND ($5 IS NULL OR c.created_at < $5)
            ORDER BY c.id LIMIT $6"#,
            $($parameter)*
        )
    };
    (of_ids, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM json_each($2) k
            CROSS JOIN consumers c ON c.organization_id = $1 AND c.id = k.value
            LEFT JOIN profile_links l
              ON l.organization_id = $1 AND l.profile_id = c.primary_profile
            WHERE c.search_text LIKE $3 ESCAPE '\'
              AND ($4 IS NULL OR c.created_at > $4) AND ($5 IS NULL OR c.created_at < $5)
              AND ($6 IS NULL OR EXISTS (
               SELECT 1 FROM audience_list_memberships m
               WHERE m.organization_id = $1 AND m.audience_id = $6 AND m.consumer_id = k.value))"#,
            $($parameter)*
        )
    };
}

pub(crate) use read_consumers;

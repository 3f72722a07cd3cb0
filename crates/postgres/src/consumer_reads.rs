//! From where each read of consumers takes its rows.
//!
//! The select list stands once, in `select_consumers!` of `fanfare-sql-rows`. sqlx takes a statement as literals, so
//! what follows the list is a literal too. `LATERAL … OFFSET 0` fixes the order in which Postgres joins. What
//! another index than the primary key finds is asked for as a range, in that index's order (`session.rs`).

/// A checked query for the consumers that the first word names.
macro_rules! read_consumers {
    (by_id, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM consumers c LEFT JOIN LATERAL (
               SELECT changed_at FROM profile_links
               WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
            WHERE c.organization_id = $1 AND c.id = $2"#,
            $($parameter)*
        )
    };
    (lookup, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM (
               (SELECT id FROM consumers
                WHERE organization_id = $1 AND email >= $2 AND email <= $2 ORDER BY email OFFSET 0)
               UNION ALL
               (SELECT id FROM (
                   SELECT id FROM consumers
                   WHERE organization_id = $1 AND phone >= $3 AND phone <= $3
                   ORDER BY phone OFFSET 0) p
                ORDER BY id LIMIT 100)
               UNION ALL
               SELECT consumer_id FROM profile_links
               WHERE organization_id = $1 AND profile_id = $4
            ) f
            CROSS JOIN LATERAL (
               SELECT * FROM consumers WHERE organization_id = $1 AND id = f.id OFFSET 0) c
            LEFT JOIN LATERAL (
               SELECT changed_at FROM profile_links
               WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
            ORDER BY c.id LIMIT 100"#,
            $($parameter)*
        )
    };
    (of_audience, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM audience_list_memberships m
            CROSS JOIN LATERAL (
               SELECT * FROM consumers
               WHERE organization_id = $1 AND id = m.consumer_id OFFSET 0) c
            LEFT JOIN LATERAL (
               SELECT changed_at FROM profile_links
               WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
            WHERE m.organization_id = $1 AND m.audience_id = $7 AND m.consumer_id > $2
              AND ($3::text IS NULL OR c.search_text LIKE $3)
              AND ($4::timestamptz IS NULL OR c.created_at > $4)
              AND ($5::timestamptz IS NULL OR c.created_at < $5)
            ORDER BY m.consumer_id LIMIT $6"#,
            $($parameter)*
        )
    };
    (in_order, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM consumers c LEFT JOIN LATERAL (
               SELECT changed_at FROM profile_links
               WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
            WHERE c.organization_id = $1 AND c.id > $2
              AND ($3::text IS NULL OR c.search_text LIKE $3)
              AND ($4::timestamptz IS NULL OR c.created_at > $4)
              AND ($5::timestamptz IS NULL OR c.created_at < $5)
            ORDER BY c.id LIMIT $6"#,
            $($parameter)*
        )
    };
    (of_ids, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"l.changed_at AS "primary_changed_at?"
            FROM unnest($2::text[]) AS k (id)
            CROSS JOIN LATERAL (
               SELECT * FROM consumers
               WHERE organization_id = $1 AND id = k.id AND search_text LIKE $3 OFFSET 0) c
            LEFT JOIN LATERAL (
               SELECT changed_at FROM profile_links
               WHERE organization_id = $1 AND profile_id = c.primary_profile OFFSET 0) l ON true
            WHERE ($4::timestamptz IS NULL OR c.created_at > $4)
              AND ($5::timestamptz IS NULL OR c.created_at < $5)
              AND ($6::text IS NULL OR EXISTS (
               SELECT FROM audience_list_memberships
               WHERE organization_id = $1 AND audience_id = $6 AND consumer_id = k.id OFFSET 0))"#,
            $($parameter)*
        )
    };
    (of_page, $($parameter:tt)*) => {
        fanfare_sql_rows::select_consumers!(
            r#"NULL::timestamptz AS primary_changed_at
            FROM (
               SELECT o.id FROM unnest($2::text[]) AS e (email)
               CROSS JOIN LATERAL (
                   SELECT id FROM consumers
                   WHERE organization_id = $1 AND email >= e.email AND email <= e.email
                   ORDER BY email OFFSET 0) o
               UNION
               SELECT l.consumer_id FROM unnest($3::text[]) AS p (id)
               CROSS JOIN LATERAL (
                   SELECT consumer_id FROM profile_links
                   WHERE organization_id = $1 AND profile_id = p.id OFFSET 0) l
            ) k
            CROSS JOIN LATERAL (
               SELECT * FROM consumers WHERE organization_id = $1 AND id = k.id OFFSET 0) c"#,
            $($parameter)*
        )
    };
}

pub(crate) use read_consumers;

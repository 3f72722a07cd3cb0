//! Sets of rows of the index of searches. A set goes into a statement as one JSON array.

use std::fmt::Write;

use fanfare_domain::ports::StoreError;
use fanfare_domain::search_index::{Gram, GramBlock};
use fanfare_sql_rows::{GramRow, PlacesRow, json};

use crate::repositories::pages::Scope;
use crate::timeout::WithTimeout;

/// The block of each gram in each section.
pub(crate) async fn blocks(
    scope: Scope<'_>,
    sections: &[String],
    grams: &[Gram],
) -> Result<Vec<GramRow>, StoreError> {
    let find = sqlx::query_file_as!(
        GramRow,
        "sql/search_blocks/of_grams.sql",
        scope.organization,
        json(sections),
        json(grams)
    );
    find.fetch_all(scope.connection).with_timeout().await
}

/// Rows of places, by section and number.
pub(crate) async fn places(
    scope: Scope<'_>,
    of: &[(&str, i64)],
) -> Result<Vec<PlacesRow>, StoreError> {
    let find = sqlx::query_file_as!(
        PlacesRow,
        "sql/search_places/of_sections.sql",
        scope.organization,
        json(of)
    );
    find.fetch_all(scope.connection).with_timeout().await
}

/// Inserts what a section has. `ids` are JSON arrays, by their number.
pub(crate) async fn insert(
    scope: Scope<'_>,
    section: &str,
    blocks: Vec<GramBlock>,
    ids: Vec<String>,
) -> Result<(), StoreError> {
    let rows: Vec<(Gram, String)> = blocks
        .into_iter()
        .map(|block| (block.first, hexadecimal(&block.lists)))
        .collect();
    let insert = sqlx::query_file!(
        "sql/search_blocks/insert.sql",
        scope.organization,
        section,
        json(&rows)
    );
    insert
        .execute(&mut *scope.connection)
        .with_timeout()
        .await?;
    let rows: Vec<(usize, String)> = ids.into_iter().enumerate().collect();
    let insert = sqlx::query_file!(
        "sql/search_places/insert.sql",
        scope.organization,
        section,
        json(&rows)
    );
    insert.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// JSON holds no bytes.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Marks the consumers whose text is not the one that is given: they are about to get it.
pub(crate) async fn mark_pending(
    scope: Scope<'_>,
    _run: &str,
    texts: &[(&str, String)],
) -> Result<(), StoreError> {
    let mark = sqlx::query_file!(
        "sql/search_pending/mark.sql",
        scope.organization,
        json(texts)
    );
    mark.execute(scope.connection).with_timeout().await?;
    Ok(())
}

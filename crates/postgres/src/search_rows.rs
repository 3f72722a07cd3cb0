//! Sets of rows of the index of searches. A set goes into a statement as one array for each column.

use fanfare_domain::ports::StoreError;
use fanfare_domain::search_index::{Gram, GramBlock};
use fanfare_sql_rows::{GramRow, PlacesRow};

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
        sections,
        grams
    );
    find.fetch_all(scope.connection).with_timeout().await
}

/// Rows of places, by section and number.
pub(crate) async fn places(
    scope: Scope<'_>,
    of: &[(&str, i64)],
) -> Result<Vec<PlacesRow>, StoreError> {
    let (sections, numbers): (Vec<&str>, Vec<i64>) = of.iter().copied().unzip();
    let find = sqlx::query_file_as!(
        PlacesRow,
        "sql/search_places/of_sections.sql",
        scope.organization,
        sections as _,
        &numbers
    );
    find.fetch_all(scope.connection).with_timeout().await
}

/// Inserts what a section has, whose own row is there already. `ids` are JSON arrays, by their number.
pub(crate) async fn insert(
    scope: Scope<'_>,
    section: &str,
    blocks: Vec<GramBlock>,
    ids: Vec<String>,
) -> Result<(), StoreError> {
    let (grams, lists): (Vec<Gram>, Vec<Vec<u8>>) = blocks
        .into_iter()
        .map(|block| (block.first, block.lists))
        .unzip();
    let insert = sqlx::query_file!(
        "sql/search_blocks/insert.sql",
        scope.organization,
        section,
        &grams,
        &lists
    );
    insert
        .execute(&mut *scope.connection)
        .with_timeout()
        .await?;
    let numbers: Vec<i64> = (0..).zip(&ids).map(|(number, _)| number).collect();
    let insert = sqlx::query_file!(
        "sql/search_places/insert.sql",
        scope.organization,
        section,
        &numbers,
        &ids
    );
    insert.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// Marks the consumers whose text is not the one that is given: they are about to get it. The run is one of
/// the organization's.
pub(crate) async fn mark_pending(
    scope: Scope<'_>,
    run: &str,
    texts: &[(&str, String)],
) -> Result<(), StoreError> {
    let ids: Vec<&str> = texts.iter().map(|(id, _)| *id).collect();
    let texts: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
    let mark = sqlx::query_file!(
        "sql/search_pending/mark.sql",
        scope.organization,
        run,
        ids as _,
        texts as _
    );
    mark.execute(scope.connection).with_timeout().await?;
    Ok(())
}

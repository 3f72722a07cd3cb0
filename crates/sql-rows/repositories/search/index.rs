//! Making the index: a section of the consumers that are in none, once they are enough for one, and a section anew
//! once enough of its consumers have changed. Each in a unit that writes, so that no page comes in between.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::page::PagePlan;
use fanfare_domain::ports::StoreError;
use fanfare_domain::search::text_of;
use fanfare_domain::search_index::{SECTION, blocks};
use fanfare_sql_rows::json;

use super::PLACES;
use crate::repositories::pages::Scope;
use crate::search_rows;
use crate::timeout::WithTimeout;

/// A section is made anew when one of so many of its consumers has changed: all sections together then leave
/// few to be compared one by one, and a section is written for several changes.
const CHANGED: u32 = 256;

/// The most pending consumers that are looked at to find such a section.
const MOST_PENDING: i64 = 20_000;

/// The last consumers of the first `most` sections after an id, in order.
pub(super) async fn sections(
    scope: Scope<'_>,
    after: &str,
    most: i64,
) -> Result<Vec<String>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/search_sections/after.sql",
        scope.organization,
        after,
        most
    );
    find.fetch_all(scope.connection).with_timeout().await
}

/// The last consumer of the last section.
async fn last(scope: Scope<'_>) -> Result<Option<String>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/search_sections/last.sql",
        scope.organization,
        ""
    );
    find.fetch_optional(scope.connection).with_timeout().await
}

/// What is to be made: a section of the consumers after `after` through `last`.
struct Missing {
    after: String,
    last: String,
    /// Whether it takes the place of the section that ends with `last`.
    is_anew: bool,
}

/// The next section that is missing, or the one of which most consumers have changed, if they are enough.
async fn missing(mut scope: Scope<'_>, size: u32) -> Result<Option<Missing>, StoreError> {
    let after = last(scope.reborrow()).await?.unwrap_or_default();
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/consumers/nth_after.sql",
        scope.organization,
        after,
        i64::from(size) - 1
    );
    let last = find.fetch_optional(&mut *scope.connection);
    if let Some(last) = last.with_timeout().await? {
        return Ok(Some(Missing {
            after,
            last,
            is_anew: false,
        }));
    }
    let changed = changed(scope, size).await?;
    Ok(changed.map(|(after, last)| Missing {
        after,
        last,
        is_anew: true,
    }))
}

/// Whether no section is missing.
pub(in crate::repositories) async fn is_indexed(
    scope: Scope<'_>,
    size: u32,
) -> Result<bool, StoreError> {
    Ok(missing(scope, size).await?.is_none())
}

/// Makes the next section. Returns whether one was missing.
pub(in crate::repositories) async fn advance(
    mut scope: Scope<'_>,
    size: u32,
) -> Result<bool, StoreError> {
    let Some(missing) = missing(scope.reborrow(), size).await? else {
        return Ok(false);
    };
    let (after, last) = (&missing.after, &missing.last);
    if missing.is_anew {
        rebuild(scope, after, last, size).await?;
    } else {
        insert(scope, after, last, size).await?;
    }
    Ok(true)
}

/// The section of which most consumers have changed, if they are enough: after whom it begins, and its last.
async fn changed(scope: Scope<'_>, size: u32) -> Result<Option<(String, String)>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/search_pending/all.sql",
        scope.organization,
        "",
        MOST_PENDING
    );
    let pending = find.fetch_all(&mut *scope.connection);
    let pending = pending.with_timeout().await?;
    let enough = (size / CHANGED).max(1) as usize;
    if pending.len() < enough {
        return Ok(None);
    }
    let mut rest = pending.as_slice();
    let mut after = String::new();
    let mut most = (enough - 1, None);
    for last in sections(scope, "", i64::MAX).await? {
        let (of_it, later) = rest.split_at(rest.partition_point(|id| *id <= last));
        if of_it.len() > most.0 {
            most = (of_it.len(), Some((after, last.clone())));
        }
        rest = later;
        after = last;
    }
    Ok(most.1)
}

/// Makes the section anew that a consumer is in, if it is in one.
pub(in crate::repositories) async fn rebuild_of(
    mut scope: Scope<'_>,
    consumer: &ConsumerId,
) -> Result<(), StoreError> {
    let sections = sections(scope.reborrow(), "", i64::MAX).await?;
    let at = sections.partition_point(|last| last.as_str() < consumer.as_str());
    let Some(last) = sections.get(at) else {
        return Ok(());
    };
    let after = at.checked_sub(1).map_or("", |before| &sections[before]);
    rebuild(scope, after, last, SECTION).await
}

/// Makes the section anew of the consumers after `after` through `last`: several, if they have become so many.
async fn rebuild(
    mut scope: Scope<'_>,
    after: &str,
    last: &str,
    size: u32,
) -> Result<(), StoreError> {
    for delete in [
        sqlx::query_file!(
            "../sql-rows/sql/search_blocks/delete.sql",
            scope.organization,
            last
        ),
        sqlx::query_file!(
            "../sql-rows/sql/search_places/delete.sql",
            scope.organization,
            last
        ),
        sqlx::query_file!(
            "../sql-rows/sql/search_sections/delete.sql",
            scope.organization,
            last
        ),
        sqlx::query_file!(
            "../sql-rows/sql/search_pending/delete.sql",
            scope.organization,
            after,
            last
        ),
    ] {
        delete
            .execute(&mut *scope.connection)
            .with_timeout()
            .await?;
    }
    let mut after = Some(after.to_owned());
    while let Some(from) = after {
        after = insert(scope.reborrow(), &from, last, size).await?;
    }
    Ok(())
}

/// Writes a section of the first `size` consumers after `after`, through `last` at most. Returns its last one
/// if there may be more of them.
async fn insert(
    scope: Scope<'_>,
    after: &str,
    last: &str,
    size: u32,
) -> Result<Option<String>, StoreError> {
    let find = sqlx::query_file!(
        "../sql-rows/sql/consumers/texts.sql",
        scope.organization,
        after,
        last,
        i64::from(size)
    );
    let rows = find
        .fetch_all(&mut *scope.connection)
        .with_timeout()
        .await?;
    let is_whole = rows.len() < size as usize;
    let Some(end) = rows.last().map(|row| row.id.clone()) else {
        return Ok(None);
    };
    let section = if is_whole { last } else { end.as_str() };
    let insert = sqlx::query_file!(
        "../sql-rows/sql/search_sections/insert.sql",
        scope.organization,
        section
    );
    insert
        .execute(&mut *scope.connection)
        .with_timeout()
        .await?;
    let blocks = blocks(rows.iter().map(|row| row.search_text.as_str()));
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let ids = ids.chunks(PLACES.into()).map(json).collect();
    search_rows::insert(scope, section, blocks, ids).await?;
    Ok((!is_whole && end != last).then_some(end))
}

/// Before a page is written: marks those consumers in sections whose texts it changes, and those that it adds there.
pub(crate) async fn mark_pending(
    mut scope: Scope<'_>,
    run: &str,
    plan: &PagePlan,
) -> Result<(), StoreError> {
    if plan.created.is_empty() && plan.updated.is_empty() {
        return Ok(());
    }
    let Some(last) = last(scope.reborrow()).await? else {
        return Ok(());
    };
    let updated = plan.updated.iter().map(|write| &write.consumer);
    let is_in_one = |consumer: &&Consumer| consumer.id.as_str() <= last.as_str();
    let written = updated.chain(&plan.created).filter(is_in_one);
    let mut texts: Vec<(&str, String)> = written
        .map(|consumer| (consumer.id.as_str(), text_of(consumer)))
        .collect();
    if texts.is_empty() {
        return Ok(());
    }
    texts.sort_unstable();
    search_rows::mark_pending(scope, run, &texts).await
}

/// Before a consumer is written by itself: the same.
pub(crate) async fn mark_one_pending(
    mut scope: Scope<'_>,
    consumer: &Consumer,
) -> Result<(), StoreError> {
    let last = last(scope.reborrow()).await?;
    if last.is_none_or(|last| consumer.id.as_str() > last.as_str()) {
        return Ok(());
    }
    let mark = sqlx::query_file!(
        "../sql-rows/sql/search_pending/put.sql",
        scope.organization,
        consumer.id.as_str()
    );
    mark.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// Deletes the whole index of the organization: its texts follow other rules now.
pub(crate) async fn clear(scope: Scope<'_>) -> Result<(), sqlx::Error> {
    for clear in [
        sqlx::query_file!(
            "../sql-rows/sql/search_blocks/clear.sql",
            scope.organization,
            ""
        ),
        sqlx::query_file!(
            "../sql-rows/sql/search_places/clear.sql",
            scope.organization,
            ""
        ),
        sqlx::query_file!(
            "../sql-rows/sql/search_sections/clear.sql",
            scope.organization,
            ""
        ),
        sqlx::query_file!(
            "../sql-rows/sql/search_pending/clear.sql",
            scope.organization,
            ""
        ),
    ] {
        clear.execute(&mut *scope.connection).await?;
    }
    Ok(())
}

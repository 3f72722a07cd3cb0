//! Making the index: a segment of the consumers that are in none, once they are enough for one, and a segment anew
//! once enough of its consumers have changed. Each in a unit that writes, so that no page comes in between.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::page::PagePlan;
use fanfare_domain::ports::StoreError;
use fanfare_domain::search::text_of;
use fanfare_domain::search_index::{SEGMENT, blocks};
use fanfare_sql_rows::json;

use super::PLACES;
use crate::repositories::pages::Scope;
use crate::search_rows;
use crate::timeout::WithTimeout;


/// A segment is made anew when one of so many of its consumers has changed: all segments together then leave
/// few to be compared one by one, and a segment is written for several changes.
const CHANGED: u32 = 256;

/// The most pending consumers that are looked at to find such a segment.
const MOST_PENDING: i64 = 20_000;

/// The last consumers of the segments after an id, in order.
pub(super) async fn segments(scope: Scope<'_>, after: &str) -> Result<Vec<String>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/search_segments/after.sql",
        scope.organization,
        after
    );
    find.fetch_all(scope.connection).with_timeout().await
}

/// The last consumer of the last segment.
async fn last(scope: Scope<'_>) -> Result<Option<String>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/search_segments/last.sql",
        scope.organization,
        ""
    );
    find.fetch_optional(scope.connection).with_timeout().await
}

/// What is to be made: a segment of the consumers after `after` through `last`.
struct Missing {
    after: String,
    last: String,
    /// Whether it takes the place of the segment that ends with `last`.
    is_anew: bool,
}

/// The next segment that is missing, or of which enough consumers have changed.
async fn missing(mut scope: Scope<'_>, size: u32) -> Result<Option<Missing>, StoreError> {
    if let Some((after, last)) = changed(scope.reborrow(), size).await? {
        let is_anew = true;
        return Ok(Some(Missing {
            after,
            last,
            is_anew,
        }));
    }
    let after = last(scope.reborrow()).await?.unwrap_or_default();
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/consumers/nth_after.sql",
        scope.organization,
        after,
        i64::from(size) - 1
    );
    let last = find.fetch_optional(scope.connection).with_timeout().await?;
    Ok(last.map(|last| Missing {
        after,
        last,
        is_anew: false,
    }))
}

/// Whether no segment is missing.
pub(in crate::repositories) async fn is_indexed(
    scope: Scope<'_>,
    size: u32,
) -> Result<bool, StoreError> {
    Ok(missing(scope, size).await?.is_none())
}

/// Makes the next segment. Returns whether one was missing.
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

/// The first segment of which enough consumers have changed: after whom it begins, and its last.
async fn changed(mut scope: Scope<'_>, size: u32) -> Result<Option<(String, String)>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/search_pending/all.sql",
        scope.organization,
        "",
        MOST_PENDING
    );
    let pending = find.fetch_all(&mut *scope.reborrow().connection);
    let pending = pending.with_timeout().await?;
    let enough = (size / CHANGED).max(1) as usize;
    if pending.len() < enough {
        return Ok(None);
    }
    let mut rest = pending.as_slice();
    let mut after = String::new();
    for last in segments(scope, "").await? {
        let (of_it, later) = rest.split_at(rest.partition_point(|id| *id <= last));
        if of_it.len() >= enough {
            return Ok(Some((after, last)));
        }
        rest = later;
        after = last;
    }
    Ok(None)
}

/// Makes the segment anew that a consumer is in, if it is in one.
pub(in crate::repositories) async fn rebuild_of(
    mut scope: Scope<'_>,
    consumer: &ConsumerId,
) -> Result<(), StoreError> {
    let segments = segments(scope.reborrow(), "").await?;
    let at = segments.partition_point(|last| last.as_str() < consumer.as_str());
    let Some(last) = segments.get(at) else {
        return Ok(());
    };
    let after = at.checked_sub(1).map_or("", |before| &segments[before]);
    rebuild(scope, after, last, SEGMENT).await
}

/// Makes the segment anew of the consumers after `after` through `last`: several, if they have become so many.
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
            "../sql-rows/sql/search_segments/delete.sql",
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

/// Writes a segment of the first `size` consumers after `after`, through `last` at most. Returns its last one
/// if there may be more of them.
async fn insert(
    mut scope: Scope<'_>,
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
    let rows = find.fetch_all(&mut *scope.connection).with_timeout().await?;
    let is_whole = rows.len() < size as usize;
    let Some(end) = rows.last().map(|row| row.id.clone()) else {
        return Ok(None);
    };
    let segment = if is_whole { last } else { end.as_str() };
    let insert = sqlx::query_file!(
        "../sql-rows/sql/search_segments/insert.sql",
        scope.organization,
        segment
    );
    insert
        .execute(&mut *scope.connection)
        .with_timeout()
        .await?;
    let blocks = blocks(rows.iter().map(|row| row.search_text.as_str()));
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let ids = ids.chunks(PLACES.into()).map(json).collect();
    search_rows::insert(scope, segment, blocks, ids).await?;
    Ok((!is_whole && end != last).then_some(end))
}

/// Before a page is written: marks those consumers in segments whose texts it changes, and those that it adds there.
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
            "../sql-rows/sql/search_segments/clear.sql",
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

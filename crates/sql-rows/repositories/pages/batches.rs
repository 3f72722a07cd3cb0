//! Where a batch ends: the last row of the next `size` after a key, in the order of a primary key.

use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{Edge, id};

use super::Scope;
use crate::timeout::WithTimeout;

/// Of the pages of profiles that a run has seen: the number of the batch's last page, if it has its full size, and whether another
/// one follows.
pub(super) async fn edge_of_seen_pages(
    scope: Scope<'_>,
    run: &str,
    after: i64,
    size: i64,
) -> Result<(Option<i64>, bool), StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/run_seen_pages/edge.sql",
        scope.organization,
        run,
        after,
        size - 1
    );
    let numbers = find.fetch_all(scope.connection).with_timeout().await?;
    Ok((numbers.first().copied(), numbers.len() > 1))
}

/// Of the members of an audience.
pub(in crate::repositories) async fn edge_of_members(
    scope: Scope<'_>,
    audience: &AudienceId,
    after: &str,
    size: u32,
) -> Result<Edge, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/audience_list_memberships/edge.sql",
        scope.organization,
        audience.as_str(),
        after,
        i64::from(size) - 1
    );
    let keys = find.fetch_all(scope.connection).with_timeout().await?;
    Ok(Edge::of(keys))
}

/// The id of the member that a batch ends with.
pub(super) fn member(last: String) -> Result<ConsumerId, StoreError> {
    id(
        last,
        ConsumerId::parse,
        "audience_list_memberships.consumer_id",
    )
}

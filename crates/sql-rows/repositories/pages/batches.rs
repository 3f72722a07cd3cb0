//! Where a batch ends: the last row of the next `size` after a key, in the order of a primary key.

use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{Edge, id};

use super::Scope;
use crate::timeout::WithTimeout;

/// Of the profiles that a run has seen.
pub(super) async fn edge_of_seen_profiles(
    scope: Scope<'_>,
    run: &str,
    after: &str,
    size: i64,
) -> Result<Edge, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/run_seen_profiles/edge.sql",
        scope.organization,
        run,
        after,
        size - 1
    );
    let keys = find.fetch_all(scope.connection).with_timeout().await?;
    Ok(Edge::of(keys))
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

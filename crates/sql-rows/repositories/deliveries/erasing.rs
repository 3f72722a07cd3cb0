//! Deliveries of people who are erased.

use fanfare_domain::ids::ConsumerId;
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{kind_of, status_of};

use super::Scope;
use super::counts::Counts;
use crate::timeout::WithTimeout;

/// Deletes everything of a consumer, who is erased.
pub(in crate::repositories) async fn delete_of_consumer(
    scope: Scope<'_>,
    consumer: &ConsumerId,
) -> Result<(), StoreError> {
    let find = sqlx::query_file!(
        "../sql-rows/sql/deliveries/of_consumer.sql",
        scope.organization,
        consumer.as_str()
    );
    let rows = find.fetch_all(&mut *scope.connection);
    let mut counts = Counts::default();
    for row in rows.with_timeout().await? {
        counts.add(
            kind_of(&row.kind)?,
            status_of(&row.status)?,
            -row.deliveries,
        );
    }
    let delete = sqlx::query_file!(
        "../sql-rows/sql/deliveries/delete_of_consumer.sql",
        scope.organization,
        consumer.as_str()
    );
    let delete = delete.execute(&mut *scope.connection);
    delete.with_timeout().await?;
    counts.write(scope).await
}

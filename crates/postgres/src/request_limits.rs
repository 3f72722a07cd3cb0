//! The rate limits of organizations.

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{RequestLimits, StoreError};
use fanfare_domain::rate_limit::{Counted, TakenRequests};
use fanfare_sql_rows::{DbTimestamp, taken_requests};

use crate::store::PostgresStore;
use crate::timeout::WithTimeout;

/// A row of `request_counts` or `check_counts`, and the time.
struct TakenRow {
    minute: i64,
    taken: i64,
    granted: i64,
    now: DbTimestamp,
}

#[async_trait]
impl RequestLimits for PostgresStore {
    async fn take_requests(
        &self,
        organization: &OrganizationId,
        counted: Counted,
        wanted: u32,
    ) -> Result<TakenRequests, StoreError> {
        let (organization, wanted) = (organization.as_str(), i64::from(wanted));
        let limit = i64::from(counted.per_minute());
        let row = match counted {
            Counted::Requests => {
                let take = sqlx::query_file_as!(
                    TakenRow,
                    "sql/request_counts/take.sql",
                    organization,
                    wanted,
                    limit,
                    self.now() as _
                );
                take.fetch_one(&self.control).with_timeout().await?
            }
            Counted::Checks => {
                let take = sqlx::query_file_as!(
                    TakenRow,
                    "sql/check_counts/take.sql",
                    organization,
                    wanted,
                    limit,
                    self.now() as _
                );
                take.fetch_one(&self.control).with_timeout().await?
            }
        };
        taken_requests(row.minute, row.taken, row.granted, row.now.0)
    }
}

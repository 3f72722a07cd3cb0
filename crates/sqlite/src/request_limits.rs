//! The rate limits of organizations, in the file beside the store: a request must not wait for a page's transaction.

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{RequestLimits, StoreError};
use fanfare_domain::rate_limit::{Counted, Minute, TakenRequests};
use fanfare_sql_rows::taken_requests;

use crate::store::SqliteStore;
use crate::timeout::WithTimeout;

/// A row of `request_counts` or `check_counts`.
struct TakenRow {
    minute: i64,
    taken: i64,
    granted: i64,
}

#[async_trait]
impl RequestLimits for SqliteStore {
    async fn take_requests(
        &self,
        organization: &OrganizationId,
        counted: Counted,
        wanted: u32,
    ) -> Result<TakenRequests, StoreError> {
        let now = self.clock.now();
        let (organization, minute) = (organization.as_str(), Minute::of(now).0);
        let (wanted, limit) = (i64::from(wanted), i64::from(counted.per_minute()));
        let row = match counted {
            Counted::Requests => {
                let take = sqlx::query_file_as!(
                    TakenRow,
                    "sql/request_counts/take.sql",
                    organization,
                    wanted,
                    limit,
                    minute
                );
                take.fetch_one(&self.ledger).with_timeout().await?
            }
            Counted::Checks => {
                let take = sqlx::query_file_as!(
                    TakenRow,
                    "sql/check_counts/take.sql",
                    organization,
                    wanted,
                    limit,
                    minute
                );
                take.fetch_one(&self.ledger).with_timeout().await?
            }
        };
        taken_requests(row.minute, row.taken, row.granted, now)
    }
}

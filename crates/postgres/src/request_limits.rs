//! The rate limits of organizations.

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{RequestLimits, StoreError};
use fanfare_domain::rate_limit::{Minute, REQUESTS_PER_MINUTE, RequestCount, TakenRequests};
use fanfare_sql_rows::to_u32;

use crate::store::PostgresStore;
use crate::timeout::WithTimeout;

#[async_trait]
impl RequestLimits for PostgresStore {
    async fn take_requests(
        &self,
        organization: &OrganizationId,
        wanted: u32,
    ) -> Result<TakenRequests, StoreError> {
        let take = sqlx::query_file!(
            "sql/request_counts/take.sql",
            organization.as_str(),
            i64::from(wanted),
            i64::from(REQUESTS_PER_MINUTE),
            self.now() as _
        );
        let row = take.fetch_one(&self.control).with_timeout().await?;
        Ok(TakenRequests {
            granted: to_u32(row.granted, "request_counts.granted")?,
            count: RequestCount {
                minute: Minute(row.minute),
                taken: to_u32(row.taken, "request_counts.taken")?,
            },
            now: row.now.0,
        })
    }
}

//! Klaviyo's quotas.

use fanfare_domain::ports::StoreError;
use fanfare_domain::quota::{Bucket, RateLimits, Window};

use crate::columns::to_u32;
use crate::db_timestamp::{DbTimestamp, from_db};

/// A row of `quota_buckets`. Limits and uses are numbers of requests.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct BucketRow {
    pub burst_limit: i64,
    pub steady_limit: i64,
    pub burst_since: DbTimestamp,
    pub burst_used: i64,
    pub steady_since: DbTimestamp,
    pub steady_used: i64,
    pub blocked_until: Option<DbTimestamp>,
    pub blocked_at: Option<DbTimestamp>,
}

impl TryFrom<BucketRow> for Bucket {
    type Error = StoreError;

    fn try_from(row: BucketRow) -> Result<Self, StoreError> {
        Ok(Self {
            limits: RateLimits {
                burst: to_u32(row.burst_limit, "quota_buckets.burst_limit")?,
                steady: to_u32(row.steady_limit, "quota_buckets.steady_limit")?,
            },
            burst: Window {
                since: row.burst_since.0,
                used: to_u32(row.burst_used, "quota_buckets.burst_used")?,
            },
            steady: Window {
                since: row.steady_since.0,
                used: to_u32(row.steady_used, "quota_buckets.steady_used")?,
            },
            blocked_until: from_db(row.blocked_until),
            blocked_at: from_db(row.blocked_at),
        })
    }
}

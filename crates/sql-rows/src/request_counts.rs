//! Requests and checks of a minute.

use fanfare_domain::ports::StoreError;
use fanfare_domain::rate_limit::{Minute, RequestCount, TakenRequests};
use fanfare_domain::time::Timestamp;

use crate::columns::to_u32;

/// What was taken, by the columns of a count.
pub fn taken_requests(
    minute: i64,
    taken: i64,
    granted: i64,
    now: Timestamp,
) -> Result<TakenRequests, StoreError> {
    Ok(TakenRequests {
        granted: to_u32(granted, "request_counts.granted")?,
        count: RequestCount {
            minute: Minute(minute),
            taken: to_u32(taken, "request_counts.taken")?,
        },
        now,
    })
}

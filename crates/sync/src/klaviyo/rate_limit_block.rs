//! Rate-limit blocks that the ledger may not know yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fanfare_domain::quota::Endpoint;
use fanfare_domain::time::Timestamp;

/// The rate-limit blocks that Klaviyo has answered this process with. The ledger learns of each in a
/// transaction; the other calls of this process must know at once. Clones share their blocks.
#[derive(Clone, Default)]
pub(super) struct RateLimitBlocks(Arc<Mutex<HashMap<(String, Endpoint), Timestamp>>>);

impl RateLimitBlocks {
    /// Blocks this account's bucket until then, or for longer if it is already.
    pub(super) fn begin(
        &self,
        account: &str,
        endpoint: Endpoint,
        until: Timestamp,
        now: Timestamp,
    ) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.retain(|_, until| *until > now);
        let known = blocks.entry((account.to_owned(), endpoint));
        let known = known.or_insert(until);
        *known = (*known).max(until);
    }

    /// Until when the bucket is blocked, if it is.
    pub(super) fn until(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = blocks.get(&(account.to_owned(), endpoint));
        until.copied().filter(|until| *until > now)
    }
}

//! Rate-limit blocks of this process, which the ledger may not hold yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fanfare_domain::quota::Endpoint;
use fanfare_domain::time::Timestamp;

/// The rate-limit blocks from Klaviyo's answers to this process. The ledger stores each in a transaction, but
/// the other calls of this process must see it at once. Clones share their blocks.
#[derive(Clone, Default)]
pub(super) struct RateLimitBlocks(Arc<Mutex<HashMap<(String, Endpoint), Timestamp>>>);

impl RateLimitBlocks {
    /// Blocks this account's bucket until `until`. A block that ends later is not shortened.
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

    /// The end of the bucket's block, if it is blocked now.
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

//! What Klaviyo has asked for that the ledger does not know yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fanfare_domain::quota::Endpoint;
use fanfare_domain::time::Timestamp;

/// The blocks that this process has been asked for. The ledger learns of each in a transaction; whoever
/// asks in this process meanwhile must know at once. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct RateLimitBlocks(Arc<Mutex<HashMap<(String, Endpoint), Timestamp>>>);

impl RateLimitBlocks {
    /// Keeps this account's bucket silent until then, if not for longer already.
    pub(crate) fn begin(
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

    /// Until when the bucket is silent, if it is.
    pub(crate) fn until(
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

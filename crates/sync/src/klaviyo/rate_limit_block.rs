//! Rate-limit blocks of this process, which the ledger may not hold yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fanfare_domain::quota::Endpoint;
use fanfare_domain::time::Timestamp;
use tokio::time::Instant;

/// The rate-limit blocks from Klaviyo's answers to this process, until the ledger has them. It stores each in a
/// transaction, but the other calls of this process must see it at once, and also while the store is not available.
///
/// A block that the ledger has concerns only the calls that had asked the ledger before. Every later one has the
/// ledger's word, which an operator may have changed since. Clones share their blocks.
#[derive(Clone, Default)]
pub(super) struct RateLimitBlocks(Arc<Mutex<HashMap<(String, Endpoint), Block>>>);

struct Block {
    until: Timestamp,
    /// When the ledger had it; `None` while it is being told.
    shared_at: Option<Instant>,
}

impl RateLimitBlocks {
    /// Blocks this account's bucket until `until`. A block that the ledger does not have yet is not shortened.
    pub(super) fn begin(
        &self,
        account: &str,
        endpoint: Endpoint,
        until: Timestamp,
        now: Timestamp,
    ) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.retain(|_, block| block.until > now);
        let known = blocks.entry((account.to_owned(), endpoint));
        let block = known.or_insert(Block {
            until,
            shared_at: None,
        });
        if block.shared_at.is_some() || block.until < until {
            *block = Block {
                until,
                shared_at: None,
            };
        }
    }

    /// The ledger has the bucket's block until `until`.
    pub(super) fn shared(&self, account: &str, endpoint: Endpoint, until: Timestamp) {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let block = blocks.get_mut(&(account.to_owned(), endpoint));
        // A block that began since is shared by the call that began it.
        if let Some(block) = block.filter(|block| block.until == until) {
            block.shared_at = Some(Instant::now());
        }
    }

    /// The end of the block that concerns a call which asked the ledger at `asked`, if there is one.
    pub(super) fn until(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
        asked: Instant,
    ) -> Option<Timestamp> {
        let blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let block = blocks.get(&(account.to_owned(), endpoint))?;
        let is_in_force =
            block.until > now && block.shared_at.is_none_or(|shared_at| shared_at >= asked);
        is_in_force.then_some(block.until)
    }
}

//! How much of something each organization, or each account, may use at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How much of a share each key of `K` uses. Clones are the same.
#[derive(Clone)]
pub struct Shares<K> {
    share: usize,
    shares: Arc<Mutex<HashMap<K, Weak<Semaphore>>>>,
}

/// A part of a share, until it is dropped.
#[derive(Debug)]
pub struct Permit(
    #[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit,
);

impl<K: Clone + Eq + Hash> Shares<K> {
    /// Each key uses `share` at most.
    pub fn new(share: usize) -> Self {
        Self {
            share,
            shares: Arc::default(),
        }
    }

    /// A permit of this key's share, waited for in turn; `None` if there was none within the time.
    pub async fn permit(&self, of: &K, within: Duration) -> Option<Permit> {
        let share = self.share_of(of);
        let permit = timeout(within, share.acquire_owned()).await;
        permit.ok()?.ok().map(Permit)
    }

    fn share_of(&self, of: &K) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(of).and_then(Weak::upgrade) {
            return share;
        }
        // Those without permits go when another is made, so that there are never more than twice as many.
        if shares.len() == shares.capacity() {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(of.clone(), Arc::downgrade(&share));
        share
    }
}

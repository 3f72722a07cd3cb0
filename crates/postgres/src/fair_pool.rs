//! A pool of connections of which each organization, or each account, has no more than a share: an
//! organization whose units wait for its lock or search for long leaves the others theirs, and so does
//! an account whose quota many calls ask for at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use fanfare_domain::ports::StoreError;
use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::session::ACQUIRE_TIMEOUT;
use crate::timeout::WithTimeout;
use crate::transaction::Transaction;

/// A pool, and how much of it each key of `K` uses. Clones are the same.
#[derive(Clone)]
pub(crate) struct FairPool<K> {
    connections: PgPool,
    share: usize,
    shares: Arc<Mutex<HashMap<K, Weak<Semaphore>>>>,
}

/// A connection of a share, for as long as a transaction is open.
pub(crate) struct Permit(
    #[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit,
);

impl<K: Clone + Eq + Hash> FairPool<K> {
    /// Of these connections, each key uses `share` at most.
    pub(crate) fn new(connections: PgPool, share: usize) -> Self {
        Self {
            connections,
            share,
            shares: Arc::default(),
        }
    }

    /// Begins a transaction with this statement as soon as the share of the key `of` allows it. A permit is
    /// waited for as long as a connection, in turn.
    pub(crate) async fn begin(
        &self,
        of: &K,
        begin: &'static str,
    ) -> Result<(Transaction, Permit), StoreError> {
        let share = self.share_of(of);
        let permit = match timeout(ACQUIRE_TIMEOUT, share.acquire_owned()).await {
            Ok(Ok(permit)) => Permit(permit),
            Ok(Err(_)) | Err(_) => return Err(StoreError::Unavailable(BUSY.into())),
        };
        let tx = Transaction::begin(&self.connections, begin)
            .with_timeout()
            .await?;
        Ok((tx, permit))
    }

    pub(crate) async fn close(&self) {
        self.connections.close().await;
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

const BUSY: &str = "others of the same organization or account took longer than 5 s";

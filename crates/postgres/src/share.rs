//! Connections for units, of which no organization has more than its share: one that waits for its own
//! lock, or searches for long, leaves the others theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::StoreError;
use sqlx::{PgPool, Postgres, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::answer::Asked;
use crate::session::PATIENCE;

/// A pool, and who uses how much of it. Clones are the same.
#[derive(Clone)]
pub(crate) struct SharedPool {
    connections: PgPool,
    share: usize,
    shares: Arc<Mutex<HashMap<OrganizationId, Weak<Semaphore>>>>,
}

/// A place in an organization's share, for as long as a unit is open.
pub(crate) struct Place(
    #[expect(dead_code, reason = "it is given back when it is dropped")] OwnedSemaphorePermit,
);

impl SharedPool {
    /// Of these connections, an organization uses `share` at most.
    pub(crate) fn new(connections: PgPool, share: usize) -> Self {
        Self {
            connections,
            share,
            shares: Arc::default(),
        }
    }

    /// Begins a transaction with this statement as soon as the organization's share allows it. It is
    /// waited for as long as for a connection, in turn.
    pub(crate) async fn begin(
        &self,
        organization: &OrganizationId,
        begin: &'static str,
    ) -> Result<(Transaction<'static, Postgres>, Place), StoreError> {
        let share = self.share_of(organization);
        let place = match timeout(PATIENCE, share.acquire_owned()).await {
            Ok(Ok(place)) => Place(place),
            Ok(Err(_)) | Err(_) => return Err(StoreError::Unavailable(BUSY.into())),
        };
        let tx = self.connections.begin_with(begin).answer().await?;
        Ok((tx, place))
    }

    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }

    fn share_of(&self, organization: &OrganizationId) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(organization).and_then(Weak::upgrade) {
            return share;
        }
        // Those that nobody uses go when another is made, so that there are never more than twice as many.
        if shares.len() == shares.capacity() {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(organization.clone(), Arc::downgrade(&share));
        share
    }
}

const BUSY: &str = "the organization's other units took longer than 5 s";

//! The lease of work, and how a worker keeps it while it waits for Klaviyo.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::lease::FencingToken;
use fanfare_domain::ports::{StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::error::Error;
use crate::integration::Integration;

/// The pause between two attempts to give work back while the database is not available.
const RELEASE_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A lease that a worker has claimed. The worker has to prove before every write that it still holds it.
pub(super) struct Lease<'a> {
    pub(super) integration: &'a Integration,
    pub(super) work: WorkItem,
    token: FencingToken,
    length: Duration,
    /// When the worker claimed it, or last renewed it during a wait. The units that write pages renew it too,
    /// which is not recorded here.
    renewed_at: Mutex<Instant>,
}

impl<'a> Lease<'a> {
    /// A lease that was just claimed.
    pub(super) fn new(
        integration: &'a Integration,
        work: WorkItem,
        token: FencingToken,
        length: Duration,
    ) -> Self {
        Self {
            integration,
            work,
            token,
            length,
            renewed_at: Mutex::new(Instant::now()),
        }
    }

    /// Claims work that needs nothing else in the unit of its claim. `None` if it is not due, or another worker has it.
    pub(super) async fn claim(
        integration: &'a Integration,
        work: &WorkItem,
        length: Duration,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, Error> {
        let mut unit = integration.begin(&work.organization).await?;
        let Some(claim) = unit.claim(&work.key, length).await? else {
            return Ok(None);
        };
        let lease = Self::new(integration, work.clone(), claim.token, length);
        if let Err(error) = unit.commit().await.map_err(Error::from) {
            // The unit may have been committed nevertheless.
            lease.release_when_possible(&error, stop).await;
            return Err(error);
        }
        Ok(Some(lease))
    }

    /// The organization that the work belongs to.
    pub(super) const fn organization(&self) -> &OrganizationId {
        &self.work.organization
    }

    /// Opens a unit for writing and renews the lease in it. `None` if the worker no longer holds the lease.
    pub(super) async fn begin(&self) -> Result<Option<Box<dyn UnitOfWork>>, Error> {
        let mut unit = self.integration.begin(self.organization()).await?;
        let is_held = unit.renew(&self.work.key, self.token, self.length).await?;
        Ok(is_held.then_some(unit))
    }

    /// Waits for `call` and renews the lease whenever a third of its length has passed. `None` if the lease was
    /// lost meanwhile; `call` is dropped then.
    ///
    /// The time since the last renewal counts from one call to the next: many short waits without a page in
    /// between are like one long wait.
    pub(super) async fn keep_during<T>(
        &self,
        call: impl Future<Output = T>,
    ) -> Result<Option<T>, Error> {
        let mut call = std::pin::pin!(call);
        loop {
            // The call is polled during the renewal too: it may hold the database connection for which the
            // renewal waits.
            tokio::select! {
                biased;
                answer = &mut call => return Ok(Some(answer)),
                is_held = self.renew_in_time() => if !is_held? {
                    return Ok(None);
                },
            }
        }
    }

    /// Renews the lease when it is time. `false` if the worker no longer holds the lease.
    async fn renew_in_time(&self) -> Result<bool, Error> {
        tokio::time::sleep_until(self.next_renewal()).await;
        let Some(unit) = self.begin().await? else {
            return Ok(false);
        };
        unit.commit().await?;
        self.renewed();
        Ok(true)
    }

    fn next_renewal(&self) -> Instant {
        let renewed_at = self.renewed_at.lock();
        *renewed_at.unwrap_or_else(PoisonError::into_inner) + self.length / 3
    }

    fn renewed(&self) {
        let renewed_at = self.renewed_at.lock();
        *renewed_at.unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Gives the work back in the caller's unit, due at once or at `due`. `false` if another worker has claimed
    /// the work, or if it has left the queue.
    pub(super) async fn release_in(
        &self,
        unit: &mut dyn UnitOfWork,
        due: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        unit.release(&self.work.key, self.token, due).await
    }

    /// Gives the work back, due at once. `false` if another worker has claimed the work, or if it has left the
    /// queue.
    pub(super) async fn release(&self) -> Result<bool, StoreError> {
        let mut unit = self.integration.begin(self.organization()).await?;
        let was_held = self.release_in(unit.as_mut(), None).await?;
        unit.commit().await?;
        Ok(was_held)
    }

    /// Gives the work back as soon as the database is available again. Otherwise the lease would run out and
    /// the next claim would count a crash of this worker. A worker that has to stop tries only once more.
    pub(super) async fn release_when_possible(&self, error: &Error, stop: &CancellationToken) {
        if !error.is_transient() {
            return;
        }
        warn!(
            error = error as &dyn std::error::Error,
            "the database is away; giving the run back"
        );
        loop {
            let is_last = stop.is_cancelled();
            let pause = tokio::time::sleep(RELEASE_RETRY_INTERVAL);
            let _ = stop.run_until_cancelled(pause).await;
            match self.release().await {
                Err(error) if error.is_transient() && !is_last => {}
                _ => return,
            }
        }
    }
}

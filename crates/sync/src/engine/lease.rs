//! The hold on a run, kept while Klaviyo takes its time.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::run::FencingToken;
use tokio::time::Instant;

use crate::error::Error;
use crate::integration::Integration;

/// A lease that was got, and has to be shown before every write.
pub(super) struct Lease<'a> {
    pub(super) integration: &'a Integration,
    pub(super) organization: OrganizationId,
    pub(super) run: RunId,
    pub(super) token: FencingToken,
    pub(super) length: Duration,
    /// When it was got, or last renewed while something was waited for. Pages renew it too, which is
    /// not counted here.
    pub(super) renewed_at: Mutex<Instant>,
}

impl Lease<'_> {
    /// Opens a unit in which the lease holds. `None` if it is somebody else's by now.
    pub(super) async fn begin(&self) -> Result<Option<Box<dyn UnitOfWork>>, Error> {
        let mut unit = self.integration.begin(&self.organization).await?;
        let is_held = unit.renew(&self.run, self.token, self.length).await?;
        Ok(is_held.then_some(unit))
    }

    /// Waits for `call`, renewing the lease three times in its length. `None` if it was lost on the
    /// way; `call` is dropped then.
    ///
    /// The time for it is kept from one call to the next: many short waits with no page in between are
    /// one long one.
    pub(super) async fn keep_during<T>(
        &self,
        call: impl Future<Output = T>,
    ) -> Result<Option<T>, Error> {
        let mut call = std::pin::pin!(call);
        loop {
            // Polled beside the call and not instead of it: the call may hold the connection that the
            // renewal waits for.
            tokio::select! {
                biased;
                answer = &mut call => return Ok(Some(answer)),
                is_held = self.renew_in_time() => if !is_held? {
                    return Ok(None);
                },
            }
        }
    }

    /// Renews the lease when it is time to. `false` if it is somebody else's by now.
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
}

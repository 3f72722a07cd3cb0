//! How much an organization may have under way at once in this process: requests and event streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::OrganizationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// Event streams that one organization may have open at once.
const MAX_STREAMS: usize = 100;

/// Requests that one organization may have under way at once, until their answers were sent. The body of one is a
/// megabyte and its answer two at most, so these bound what an organization can keep in the memory of this process.
const MAX_REQUESTS: usize = 64;

/// How long a request waits until one of the others has ended, before it is refused.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// After which time a caller above the limit of streams may ask again. A guess: the end of a stream is not known.
const WAIT_FOR_STREAM: Duration = Duration::from_secs(15);

/// After which time a caller above the limit of requests may ask again.
const WAIT_FOR_REQUEST: Duration = Duration::from_secs(1);

/// What organizations have under way.
#[derive(Debug)]
pub(crate) struct Concurrency {
    streams: Limits,
    requests: Limits,
}

/// A request or a stream that is under way. Dropping it makes room for another.
pub(crate) type Permit = OwnedSemaphorePermit;

impl Default for Concurrency {
    fn default() -> Self {
        Self {
            streams: Limits::of(MAX_STREAMS),
            requests: Limits::of(MAX_REQUESTS),
        }
    }
}

impl Concurrency {
    /// Opens one more event stream, or refuses.
    pub(crate) fn open_stream(&self, organization: &OrganizationId) -> Result<Permit, ApiError> {
        let permit = self.streams.semaphore(organization).try_acquire_owned();
        permit.map_err(|_| ApiError::too_many_streams(MAX_STREAMS, WAIT_FOR_STREAM))
    }

    /// Begins one more request, as soon as there is room for it, or refuses after [`REQUEST_TIMEOUT`].
    pub(crate) async fn begin_request(
        &self,
        organization: &OrganizationId,
    ) -> Result<Permit, ApiError> {
        let room = self.requests.semaphore(organization).acquire_owned();
        let permit = tokio::time::timeout(REQUEST_TIMEOUT, room).await;
        let refused = || ApiError::too_many_requests(MAX_REQUESTS, WAIT_FOR_REQUEST);
        permit.map_err(|_| refused())?.map_err(|_| refused())
    }

    /// How many requests an organization has under way.
    #[cfg(test)]
    pub(crate) fn requests_of(&self, organization: &OrganizationId) -> usize {
        MAX_REQUESTS - self.requests.semaphore(organization).available_permits()
    }
}

/// A semaphore for each organization that has ever asked.
#[derive(Debug)]
struct Limits {
    permits: usize,
    semaphores: Mutex<HashMap<OrganizationId, Arc<Semaphore>>>,
}

impl Limits {
    fn of(permits: usize) -> Self {
        Self {
            permits,
            semaphores: Mutex::default(),
        }
    }

    fn semaphore(&self, organization: &OrganizationId) -> Arc<Semaphore> {
        let semaphores = self.semaphores.lock();
        let mut semaphores = semaphores.unwrap_or_else(PoisonError::into_inner);
        let semaphore = semaphores.entry(organization.clone());
        let new = || Arc::new(Semaphore::new(self.permits));
        semaphore.or_insert_with(new).clone()
    }
}

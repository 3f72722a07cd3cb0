//! How much an organization may have under way at once in this process: requests, bytes and event streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::rate_limit::Counted;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// Event streams that one organization may have open at once.
const MAX_STREAMS: usize = 100;

/// Requests that one organization may have under way at once, until their answers were sent, and as many checks at the
/// door beside them.
const MAX_REQUESTS: usize = 64;

/// How many bytes the bodies and the answers of one organization's requests may have at once, beyond those that need no
/// room: 32 MiB.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The bytes of each body and each answer that need no room. All answers to writing requests are smaller: a request
/// that has done its work is not refused for want of room.
const FREE_BYTES: usize = 64 * 1024;

/// In what steps bytes are counted.
const STEP: usize = 1024;

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
    checks: Limits,
    bytes: Limits,
}

/// A request, a stream or bytes that are under way. Dropping it makes room for another.
pub(crate) type Permit = OwnedSemaphorePermit;

impl Default for Concurrency {
    fn default() -> Self {
        Self {
            streams: Limits::of(MAX_STREAMS),
            requests: Limits::of(MAX_REQUESTS),
            checks: Limits::of(MAX_REQUESTS),
            bytes: Limits::of(MAX_BYTES / STEP),
        }
    }
}

impl Concurrency {
    /// Opens one more event stream, or refuses.
    pub(crate) fn open_stream(&self, organization: &OrganizationId) -> Result<Permit, ApiError> {
        let permit = self.streams.semaphore(organization).try_acquire_owned();
        permit.map_err(|_| ApiError::too_many_streams(MAX_STREAMS, WAIT_FOR_STREAM))
    }

    /// Begins one more request or check, as soon as there is room for it, or refuses after [`REQUEST_TIMEOUT`].
    pub(crate) async fn begin(
        &self,
        counted: Counted,
        organization: &OrganizationId,
    ) -> Result<Permit, ApiError> {
        let limits = match counted {
            Counted::Requests => &self.requests,
            Counted::Checks => &self.checks,
        };
        let room = limits.semaphore(organization).acquire_owned();
        let permit = tokio::time::timeout(REQUEST_TIMEOUT, room).await;
        let refused = || ApiError::too_many_requests(MAX_REQUESTS, WAIT_FOR_REQUEST);
        permit.map_err(|_| refused())?.map_err(|_| refused())
    }

    /// Makes room for a body or an answer that grows from `held` to `bytes`, or refuses. `None` if it needs none.
    pub(crate) fn hold_bytes(
        &self,
        organization: &OrganizationId,
        held: usize,
        bytes: usize,
    ) -> Result<Option<Permit>, ApiError> {
        let steps = |bytes: usize| bytes.saturating_sub(FREE_BYTES).div_ceil(STEP);
        let more = steps(bytes) - steps(held.min(bytes));
        if more == 0 {
            return Ok(None);
        }
        let refused = || ApiError::too_many_bytes(MAX_BYTES, WAIT_FOR_REQUEST);
        let more = u32::try_from(more).map_err(|_| refused())?;
        let room = self.bytes.semaphore(organization);
        let permit = room.try_acquire_many_owned(more);
        permit.map(Some).map_err(|_| refused())
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

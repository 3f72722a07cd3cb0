//! How much an organization may have under way at once in this process: requests and event streams.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::OrganizationId;

use crate::error::ApiError;

/// Event streams that one organization may have open at once.
const MAX_STREAMS: usize = 100;

/// Requests that one organization may have under way at once, from its authentication until its answer
/// was sent. The body of one is a megabyte and its answer two at most, so 64 of them bound what an
/// organization can keep in the memory of this process.
const MAX_REQUESTS: usize = 64;

/// After which time a caller above the limit of streams may ask again. A guess: the end of a stream is not known.
const WAIT_FOR_STREAM: Duration = Duration::from_secs(15);

/// After which time a caller above the limit of requests may ask again.
const WAIT_FOR_REQUEST: Duration = Duration::from_secs(1);

/// What organizations have under way.
#[derive(Debug, Default)]
pub(crate) struct Concurrency {
    streams: Counts,
    requests: Counts,
}

/// How much each organization has under way. Clones are the same.
#[derive(Debug, Clone, Default)]
struct Counts(Arc<Mutex<HashMap<OrganizationId, usize>>>);

/// A request or a stream that is under way. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Permit {
    counts: Counts,
    organization: OrganizationId,
}

impl Concurrency {
    /// Opens one more event stream, or refuses.
    pub(crate) fn open_stream(&self, organization: &OrganizationId) -> Result<Permit, ApiError> {
        let permit = self.streams.one_more(organization, MAX_STREAMS);
        permit.ok_or_else(|| ApiError::too_many_streams(MAX_STREAMS, WAIT_FOR_STREAM))
    }

    /// Begins one more request, or refuses.
    pub(crate) fn begin_request(&self, organization: &OrganizationId) -> Result<Permit, ApiError> {
        let permit = self.requests.one_more(organization, MAX_REQUESTS);
        permit.ok_or_else(|| ApiError::too_many_requests(MAX_REQUESTS, WAIT_FOR_REQUEST))
    }
}

#[cfg(test)]
impl Concurrency {
    /// How many requests an organization has under way.
    pub(crate) fn requests_of(&self, organization: &OrganizationId) -> usize {
        let counts = self.requests.0.lock();
        let counts = counts.unwrap_or_else(PoisonError::into_inner);
        counts.get(organization).copied().unwrap_or(0)
    }
}

impl Counts {
    fn one_more(&self, organization: &OrganizationId, limit: usize) -> Option<Permit> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(organization.clone()).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Permit {
            counts: self.clone(),
            organization: organization.clone(),
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let counts = self.counts.0.lock();
        let mut counts = counts.unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.organization) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.organization);
            }
        }
    }
}

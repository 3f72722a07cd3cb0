//! The limit of event streams that an organization has open at once, in this process: each stream
//! reads its run four times a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::OrganizationId;

use crate::error::ApiError;

/// Streams that one organization may have open at once.
const LIMIT: usize = 100;

/// After which time a caller above the limit may ask again. A guess: the end of a stream is not known.
const WAIT: Duration = Duration::from_secs(15);

/// The streams that are open. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<OrganizationId, usize>>>);

/// An open stream. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct OpenStream {
    streams: Streams,
    organization: OrganizationId,
}

impl Streams {
    /// Opens one more, or refuses.
    pub(crate) fn open(&self, organization: &OrganizationId) -> Result<OpenStream, ApiError> {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = streams.entry(organization.clone()).or_default();
        if *open >= LIMIT {
            return Err(ApiError::too_many_streams(LIMIT, WAIT));
        }
        *open += 1;
        Ok(OpenStream {
            streams: self.clone(),
            organization: organization.clone(),
        })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let streams = self.streams.0.lock();
        let mut streams = streams.unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = streams.get_mut(&self.organization) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.organization);
            }
        }
    }
}

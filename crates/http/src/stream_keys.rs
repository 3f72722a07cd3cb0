//! The secret keys of open event streams. However many streams a key has open, the store is asked once for all of them
//! whether it is still valid.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::{KeyId, OrganizationId};
use fanfare_sync::{Caller, Integration};
use tokio::time::Instant;

/// How often a stream looks whether its key has been revoked, also while there is news.
pub(crate) const KEY_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How long what the store has said stands for the key's other streams.
const VALID_FOR: Duration = Duration::from_secs(1);

/// When each key was last known to be valid. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamKeys(Arc<Mutex<Valid>>);

type Valid = HashMap<(OrganizationId, KeyId), Instant>;

impl StreamKeys {
    /// Whether the key of this caller is no longer valid. A store that is away says nothing about it.
    pub(crate) async fn is_revoked(&self, application: &Integration, caller: &Caller) -> bool {
        let key = (caller.organization.clone(), caller.key.clone());
        let asked_at = Instant::now();
        if self.was_valid(&key, asked_at) {
            return false;
        }
        match application.caller_of(&key.0, &key.1).await {
            Ok(None) => true,
            Ok(Some(_)) => {
                let mut valid = self.valid();
                valid.retain(|_, at| is_fresh(*at, asked_at));
                valid.insert(key, asked_at);
                false
            }
            Err(_) => false,
        }
    }

    fn was_valid(&self, key: &(OrganizationId, KeyId), now: Instant) -> bool {
        let valid = self.valid();
        valid.get(key).is_some_and(|at| is_fresh(*at, now))
    }

    fn valid(&self) -> MutexGuard<'_, Valid> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < VALID_FOR
}

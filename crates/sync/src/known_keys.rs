//! Secret keys as the store knew them a moment ago, for callers who ask thousands of times in a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanfare_domain::organization::KeyHash;
use fanfare_domain::time::Timestamp;

use crate::access::Caller;

/// How long a key that the store has shown is taken for known: a revoked one opens the door no longer than that.
const KNOWN_FOR: Duration = Duration::from_secs(1);

/// From which age on it is asked for anew while it is still known, so that a crowd never waits for it.
const RENEWED_FROM: Duration = Duration::from_millis(500);

/// The keys that were shown lately. Clones are the same. Keys that the store does not know are not kept.
#[derive(Clone, Default)]
pub(crate) struct KnownKeys(Arc<Mutex<HashMap<KeyHash, Known>>>);

/// What the store said of a key.
struct Known {
    caller: Caller,
    asked_at: Timestamp,
    /// Whether somebody was told to ask again.
    is_renewed: bool,
}

impl KnownKeys {
    /// Whose key it is, if the store has said so within the last second, and whether this caller is to ask again meanwhile.
    pub(crate) fn get(&self, key: &KeyHash, now: Timestamp) -> Option<(Caller, bool)> {
        let mut all = self.locked();
        let known = all.get_mut(key).filter(|known| known.is_fresh(now))?;
        let is_old = now.since(known.asked_at) >= RENEWED_FROM;
        let is_to_renew = is_old && !std::mem::replace(&mut known.is_renewed, is_old);
        Some((known.caller.clone(), is_to_renew))
    }

    /// Keeps what the store said when it was asked at that time.
    pub(crate) fn put(&self, key: KeyHash, caller: Caller, asked_at: Timestamp) {
        let mut all = self.locked();
        // Those that are too old go when there are twice as many, so that the map stays small.
        if all.len() == all.capacity() {
            all.retain(|_, known| known.is_fresh(asked_at));
        }
        let known = Known {
            caller,
            asked_at,
            is_renewed: false,
        };
        all.insert(key, known);
    }

    /// The store does not know the key any more.
    pub(crate) fn forget(&self, key: &KeyHash) {
        self.locked().remove(key);
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<KeyHash, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// A time that lies ahead is of a clock that was set back since.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.asked_at <= now && now.since(self.asked_at) < KNOWN_FOR
    }
}

//! Secret keys as the store knew them a moment ago, for callers who ask thousands of times in a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::organization::KeyHash;
use fanfare_domain::time::Timestamp;

use crate::access::Caller;

/// How long a key that the store has shown is taken for known: a revoked one opens the door no longer than that.
const KNOWN_FOR: Duration = Duration::from_secs(1);

/// The keys that were shown lately. Clones are the same. Keys that the store does not know are not kept.
#[derive(Clone, Default)]
pub(crate) struct KnownKeys(Arc<Mutex<HashMap<KeyHash, (Caller, Timestamp)>>>);

impl KnownKeys {
    /// Whose key it is, if the store has said so within the last second.
    pub(crate) fn get(&self, key: &KeyHash, now: Timestamp) -> Option<Caller> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (caller, at) = known.get(key)?;
        is_fresh(*at, now).then(|| caller.clone())
    }

    /// Keeps what the store said at that time.
    pub(crate) fn put(&self, key: KeyHash, caller: Caller, asked_at: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that are too old go when there are twice as many, so that the map stays small.
        if known.len() == known.capacity() {
            known.retain(|_, (_, at)| is_fresh(*at, asked_at));
        }
        known.insert(key, (caller, asked_at));
    }
}

/// A time that lies ahead is of a clock that was set back since.
fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.since(at) < KNOWN_FOR
}

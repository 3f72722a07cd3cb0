//! The system's clock and random generator.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use fanfare_domain::ports::{Clock, Ids};
use fanfare_domain::time::Timestamp;
use ulid::Ulid;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the adapter of the clock port"
    )]
    fn now(&self) -> Timestamp {
        // A clock set to before the epoch shows the epoch.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp::EPOCH.plus(since.unwrap_or_default())
    }
}

/// ULIDs of the store's time, which orders them, from the thread's cryptographic generator, which the system seeds.
#[derive(Clone)]
pub struct SystemIds {
    clock: Arc<dyn Clock>,
}

impl SystemIds {
    /// Ids that say when they were made by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl Ids for SystemIds {
    fn ulid(&self) -> Ulid {
        let millis = self.clock.now().as_micros().div_euclid(1_000);
        Ulid::from_parts(u64::try_from(millis).unwrap_or(0), rand::random())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_of_now_and_never_given_twice() {
        let before = SystemClock.now();
        let source = SystemIds::new(Arc::new(SystemClock));
        let ids: Vec<Ulid> = (0..1_000).map(|_| source.ulid()).collect();
        let after = SystemClock.now();

        let millis = |time: Timestamp| u64::try_from(time.as_micros() / 1_000).unwrap();
        let span = millis(before)..=millis(after);
        assert!(ids.iter().all(|id| span.contains(&id.timestamp_ms())));
        let halves: HashSet<u128> = ids.iter().map(Ulid::random).collect();
        assert_eq!(halves.len(), ids.len());
    }
}

//! The system's clock and random generator.

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

/// ULIDs from the thread's cryptographic generator, which the system seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn ulid(&self) -> Ulid {
        Ulid::with_source(&mut rand::rng())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_of_now_and_never_given_twice() {
        let before = SystemClock.now();
        let ids: Vec<Ulid> = (0..1_000).map(|_| SystemIds.ulid()).collect();
        let after = SystemClock.now();

        let millis = |time: Timestamp| u64::try_from(time.as_micros() / 1_000).unwrap();
        let span = millis(before)..=millis(after);
        assert!(ids.iter().all(|id| span.contains(&id.timestamp_ms())));
        let halves: HashSet<u128> = ids.iter().map(Ulid::random).collect();
        assert_eq!(halves.len(), ids.len());
    }
}

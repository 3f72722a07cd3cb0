//! How often somebody may try to sign in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::time::Timestamp;

/// Tries a minute from one address.
const MOST: u32 = 10;

/// The time in which they are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// Addresses that are remembered at most. Beyond that those whose minute is over are forgotten.
const MOST_ADDRESSES: usize = 10_000;

/// The tries of each address in its present minute. Where the address is not known, all are one.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Option<IpAddr>, Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Timestamp,
    tries: u32,
}

impl Window {
    /// Whether the minute has passed. One that begins in the future is of a clock that was set back.
    fn is_over(self, now: Timestamp) -> bool {
        now.since(self.began) >= WINDOW || self.began > now
    }
}

impl Attempts {
    /// Counts a try, or says how long to wait until the next.
    pub(crate) fn count(&self, from: Option<IpAddr>, now: Timestamp) -> Result<(), Duration> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST_ADDRESSES {
            windows.retain(|_, window| !window.is_over(now));
        }
        let new = Window {
            began: now,
            tries: 0,
        };
        let window = windows.entry(from).or_insert(new);
        if window.is_over(now) {
            *window = new;
        }
        if window.tries >= MOST {
            return Err(WINDOW.saturating_sub(now.since(window.began)));
        }
        window.tries += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tries_a_minute_are_taken_from_each_address() {
        let attempts = Attempts::default();
        let at = |second: u64| Timestamp::EPOCH.plus(Duration::from_secs(second));
        let (one, other) = (Some(IpAddr::from([10, 0, 0, 1])), None);
        for _ in 0..10 {
            assert_eq!(attempts.count(one, at(100)), Ok(()));
        }
        assert_eq!(attempts.count(one, at(130)), Err(Duration::from_secs(30)));
        assert_eq!(attempts.count(other, at(130)), Ok(()));
        assert_eq!(attempts.count(one, at(160)), Ok(()));
        assert_eq!(attempts.count(one, at(50)), Ok(()));
    }
}

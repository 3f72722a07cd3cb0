//! When a delivery is tried again.

use std::time::Duration;

use crate::time::Timestamp;

/// The wait after the first try, which doubles with each.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST: Duration = Duration::from_hours(1);

/// For how long after its first try a delivery is tried.
const TRIED_FOR: Duration = Duration::from_hours(48);

/// When a delivery that was first tried at `first` and has been tried `attempts` times is tried next; `None` if it has been
/// tried for long enough.
pub fn next_try(first: Timestamp, attempts: u32, now: Timestamp) -> Option<Timestamp> {
    if now.since(first) >= TRIED_FOR {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(16);
    let wait = (FIRST * 2_u32.pow(doublings)).min(LONGEST);
    Some(now.plus(wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_from_a_second_to_an_hour_for_two_days() {
        let first = Timestamp::EPOCH;
        let wait = |attempts| next_try(first, attempts, first).unwrap().since(first);
        let seconds: Vec<u64> = (1..=14).map(|attempts| wait(attempts).as_secs()).collect();
        let expected = [
            1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600,
        ];
        assert_eq!(seconds, expected);
        let last = first.plus(TRIED_FOR);
        assert!(next_try(first, 60, last.minus(Duration::from_micros(1))).is_some());
        assert_eq!(next_try(first, 60, last), None);
    }

    proptest! {
        #[test]
        fn tries_come_to_an_end(attempts in 1_u32..5) {
            let (mut now, mut tries) = (Timestamp::EPOCH, attempts);
            while let Some(next) = next_try(Timestamp::EPOCH, tries, now) {
                prop_assert!(next > now);
                (now, tries) = (next, tries + 1);
            }
            prop_assert!(tries < 80);
        }
    }
}

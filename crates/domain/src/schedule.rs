//! When a continuous audience syncs by itself: its interval, its due times, and what pauses them.
//!
//! The schedule of an audience is one due time. It is there while the audience has an interval, is not archived, and
//! nothing pauses it.

use std::time::Duration;

use crate::failure::FailureCode;
use crate::ids::AudienceId;
use crate::time::Timestamp;

/// The interval of a continuous audience that was given none, in seconds.
pub const DEFAULT_INTERVAL: u32 = 900;

/// The longest interval, in seconds: a week.
pub const LONGEST_INTERVAL: u32 = 604_800;

/// A continuous audience, as its schedule needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContinuousAudience {
    /// The audience, which is not archived.
    pub audience: AudienceId,
    /// Its interval as it is stored, in seconds.
    pub interval_seconds: u32,
    /// Why its schedule is paused, if it is.
    pub paused_by: Option<FailureCode>,
}

/// The intervals that audiences may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// The shortest one, in seconds.
    pub shortest: u32,
}

impl Default for Intervals {
    fn default() -> Self {
        Self { shortest: 60 }
    }
}

/// An interval that no audience may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an interval must be a whole number of seconds from {shortest} to {LONGEST_INTERVAL}")]
pub struct InvalidInterval {
    shortest: u32,
}

impl Intervals {
    /// Whether an audience may have an interval of so many seconds.
    pub fn check(self, seconds: u32) -> Result<(), InvalidInterval> {
        let fits = (self.shortest..=LONGEST_INTERVAL).contains(&seconds);
        fits.then_some(()).ok_or(InvalidInterval {
            shortest: self.shortest,
        })
    }

    /// The interval in force for one that is stored: an operator may have raised the shortest one since.
    pub fn in_force(self, seconds: u32) -> Duration {
        let seconds = seconds.max(self.shortest).clamp(1, LONGEST_INTERVAL);
        Duration::from_secs(seconds.into())
    }
}

/// When an audience is due for the first time after it has been synced by other means: at a random time of the second
/// half of its first interval, so that audiences that were imported together do not come together.
pub fn first_due(now: Timestamp, interval: Duration, random: u64) -> Timestamp {
    let half = interval / 2;
    now.plus(interval.saturating_sub(part(half, random)))
}

/// When an audience is due whose schedule was paused or lost: at a random time of the first half of an interval.
pub fn resumed_due(now: Timestamp, interval: Duration, random: u64) -> Timestamp {
    now.plus(part(interval / 2, random))
}

/// A random part of a length.
fn part(of: Duration, random: u64) -> Duration {
    let micros = u64::try_from(of.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % micros.max(1))
}

/// The due time after `due`, which has come: the first one of the same rhythm that lies in the future. However many
/// have been missed, what was due is done once.
pub fn next_due(due: Timestamp, interval: Duration, now: Timestamp) -> Timestamp {
    let (late, interval_micros) = (now.since(due).as_micros(), interval.as_micros().max(1));
    let missed = u32::try_from(late / interval_micros).unwrap_or(u32::MAX);
    let next = due.plus(interval.saturating_mul(missed.saturating_add(1)));
    if next > now {
        next
    } else {
        // Later than any clock of ours will ever show, or an interval of nothing.
        now.plus(interval)
    }
}

/// When an audience is due whose run could remove nobody, because Klaviyo was still computing its segment: after five
/// minutes, or when it is due anyway if that is sooner.
pub fn due_after_deferral(due: Timestamp, now: Timestamp) -> Timestamp {
    due.min(now.plus(Duration::from_mins(5)))
}

/// Whether a due time can have been written while the clock and the interval were as they are. One that lies further
/// ahead than the interval was written before the clock was set back, or for a longer interval. The clocks of two
/// processes differ by less than the minute that is allowed beside it.
pub fn is_plausible(due: Timestamp, interval: Duration, now: Timestamp) -> bool {
    due <= now.plus(interval + Duration::from_mins(1))
}

/// Whether a run that failed for this reason pauses the schedule: no further run can succeed before somebody acts.
pub const fn pauses(code: FailureCode) -> bool {
    matches!(
        code,
        FailureCode::KeyInvalid | FailureCode::ScopeMissing | FailureCode::SourceGone
    )
}

/// The reasons of a pause that a replaced key takes away.
pub const ENDED_BY_NEW_KEY: [FailureCode; 2] = [FailureCode::KeyInvalid, FailureCode::ScopeMissing];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    proptest! {
        #[test]
        fn the_next_due_time_is_the_only_one_of_its_rhythm_within_the_next_interval(
            due in 0_i64..1 << 50, late in 0_i64..1 << 50, seconds in 1_u64..700_000,
        ) {
            let (now, interval) = (at(due + late), Duration::from_secs(seconds));
            let next = next_due(at(due), interval, now);
            prop_assert!(next > now && next <= now.plus(interval));
            prop_assert_eq!(next.since(at(due)).as_micros() % interval.as_micros(), 0);
            prop_assert!(is_plausible(next, interval, now));
        }

        #[test]
        fn first_due_times_lie_in_the_second_half_of_an_interval_and_resumed_ones_in_the_first(
            random: u64, seconds in 1_u64..700_000,
        ) {
            let (now, interval) = (at(0), Duration::from_secs(seconds));
            let first = first_due(now, interval, random).since(now);
            prop_assert!(first >= interval / 2 && first <= interval);
            prop_assert!(resumed_due(now, interval, random).since(now) < interval / 2);
        }

        #[test]
        fn an_interval_in_force_is_one_that_may_be_stored(shortest in 1_u32..=LONGEST_INTERVAL, seconds: u32) {
            let intervals = Intervals { shortest };
            let in_force = u32::try_from(intervals.in_force(seconds).as_secs()).unwrap();
            prop_assert!(intervals.check(in_force).is_ok());
            prop_assert!(in_force == seconds || intervals.check(seconds).is_err());
        }
    }

    #[test]
    fn an_interval_is_a_minute_to_a_week_unless_set_otherwise() {
        let check = |shortest, seconds| Intervals { shortest }.check(seconds).is_ok();
        assert!(check(60, 60) && check(60, LONGEST_INTERVAL) && check(1, 1));
        assert!(!check(60, 59) && !check(60, LONGEST_INTERVAL + 1) && !check(1, 0));
        let error = Intervals::default().check(5).unwrap_err().to_string();
        assert_eq!(
            error,
            "an interval must be a whole number of seconds from 60 to 604800"
        );
    }

    #[test]
    fn a_thousand_audiences_imported_at_once_are_due_at_many_times() {
        let interval = Duration::from_secs(DEFAULT_INTERVAL.into());
        let mut seconds: Vec<u64> = (0..1_000_u64)
            .map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1)
            .map(|random| first_due(at(0), interval, random).since(at(0)).as_secs())
            .collect();
        seconds.sort_unstable();
        let most = seconds.chunk_by(|a, b| a == b).map(<[u64]>::len).max();
        assert!(most.is_some_and(|most| most < 20), "{most:?} in one second");
    }
}

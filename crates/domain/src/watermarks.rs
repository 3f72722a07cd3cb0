//! What a source remembers of its passes, so that an incremental one can go on from there.

use std::time::Duration;

use crate::time::Timestamp;

/// By how much an incremental pass reads what the pass before it has read, too: Klaviyo's clock may differ from ours, and
/// what it shows may be behind.
pub const OVERLAP: Duration = Duration::from_mins(2);

/// What a source remembers from one successful pass to the next. It is there after a complete pass that saw everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watermarks {
    /// The start of the last successful pass. Every join before it has been read, whatever time Klaviyo gives it: a watermark
    /// is never a time of Klaviyo's, which may lie in the future.
    pub joined_until: Timestamp,
    /// When the last complete pass started.
    pub full_pass_began_at: Timestamp,
    /// How many profiles are in the list as far as is known: as many as the last complete pass saw, or as Klaviyo counted
    /// then if those were fewer, and everybody who became a member since.
    pub profiles: u64,
}

impl Watermarks {
    /// After a complete pass that saw so many profiles, of which Klaviyo counted `total` at its start.
    pub fn after_full_pass(began_at: Timestamp, seen: u64, total: Option<u64>) -> Self {
        Self {
            joined_until: began_at,
            full_pass_began_at: began_at,
            // A count that is always lower would call for a complete pass each time.
            profiles: total.map_or(seen, |total| total.min(seen)),
        }
    }

    /// After an incremental pass that added so many members.
    #[must_use]
    pub fn after_incremental_pass(self, began_at: Timestamp, added: u64) -> Self {
        Self {
            joined_until: self.joined_until.max(began_at),
            profiles: self.profiles.saturating_add(added),
            ..self
        }
    }

    /// Whether an incremental pass may go on from them although it became uncertain at this time, if ever, which profiles are in
    /// the list: only if a complete pass has begun since.
    pub fn hold_after(&self, called_for_at: Option<Timestamp>) -> bool {
        called_for_at.is_none_or(|at| self.full_pass_began_at > at)
    }

    /// From which join time on an incremental pass reads.
    pub fn read_from(&self) -> Timestamp {
        self.joined_until.minus(OVERLAP).whole_second()
    }

    /// Whether somebody has left, by Klaviyo's count, `added` of whose profiles are not counted here yet.
    pub fn has_leavings(&self, added: u64, count: Option<u64>) -> bool {
        count.is_some_and(|count| self.profiles.saturating_add(added) > count)
    }

    /// How many pages a complete pass reads.
    pub const fn pages(&self) -> u64 {
        self.profiles / PROFILES_OF_A_PAGE + 1
    }
}

/// The most profiles on a page of Klaviyo's.
const PROFILES_OF_A_PAGE: u64 = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    proptest! {
        #[test]
        fn a_pass_reads_at_least_two_minutes_of_what_the_one_before_has_read(
            began in 0_i64..1 << 31, later in 0_i64..1 << 20, seen in 0_u64..1 << 40, added in 0_u64..1 << 20,
        ) {
            let marks = Watermarks::after_full_pass(at(began), seen, None);
            prop_assert!(marks.read_from() <= at(began).minus(OVERLAP));
            let next = marks.after_incremental_pass(at(began + later), added);
            prop_assert!(next.joined_until >= marks.joined_until);
            prop_assert_eq!(next.full_pass_began_at, marks.full_pass_began_at);
            prop_assert!(next.read_from() <= at(began + later).minus(OVERLAP));
        }

        #[test]
        fn they_hold_where_a_complete_pass_has_begun_after_one_was_called_for(
            called_for in 0_i64..100, began in 0_i64..100, later in 0_i64..100,
        ) {
            let marks = Watermarks::after_full_pass(at(began), 1, None);
            let marks = marks.after_incremental_pass(at(began + later), 0);
            prop_assert!(marks.hold_after(None));
            prop_assert_eq!(marks.hold_after(Some(at(called_for))), began > called_for);
        }

        #[test]
        fn somebody_has_left_where_klaviyo_counts_fewer_than_are_known(
            seen in 0_u64..1 << 40, total in 0_u64..1 << 40, added in 0_u64..1 << 20, left in 1_u64..1 << 20,
        ) {
            let marks = Watermarks::after_full_pass(at(0), seen, Some(total));
            let known = marks.profiles + added;
            prop_assert!(!marks.has_leavings(added, None));
            prop_assert!(!marks.has_leavings(added, Some(known)));
            prop_assert!(!marks.has_leavings(0, Some(total)), "what Klaviyo counted at the pass's start");
            prop_assert_eq!(marks.has_leavings(added, known.checked_sub(left)), known >= left);
        }
    }
}

//! The crashes of a run's workers: how carefully the run is read after one, and when there were too many.
//!
//! A process that dies takes the work of all its slots along, and only one run may be the reason. So a crash by itself
//! says little. Three without a page in between, at a place that was read alone, convict that place
//! ([`MAX_CRASHES`]). A run whose pages kill their workers only where several are read together gets on between the
//! crashes: after each one it is read one page at a time for longer, and nine that were not made up for end it, too.

use crate::failure::MAX_CRASHES;

/// How many crashes of a run's workers end it, whatever was written in between, unless they were made up for.
pub const MAX_CRASHES_OF_RUN: u32 = 9;

/// How many pages, read beside each other again, make up for the crashes before them.
const PAGES_THAT_MAKE_UP: u64 = 100;

/// Whether a run may be the reason for the crashes of its workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// Nothing says so.
    None,
    /// A worker died with it, and not all of the pages that it was at have been read since.
    Suspected,
    /// The next crash ends it. Beside another suspected run it could not be told whose page was the reason.
    LastTry,
}

impl Suspicion {
    /// Of a run with so many crashes at one place.
    pub(super) const fn of(crashes: u32) -> Self {
        match crashes {
            0 => Self::None,
            crashes if crashes + 1 < MAX_CRASHES => Self::Suspected,
            _ => Self::LastTry,
        }
    }
}

/// The crashes of a run that have not been made up for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Crashes {
    /// How many there were.
    count: u32,
    /// The pages that the run had written at the latest.
    pages: u64,
}

impl Crashes {
    /// One more, of a run that has written so many pages.
    #[must_use]
    pub const fn one_more(self, pages: u64) -> Self {
        let is_made_up_for = pages >= self.serial_until() + PAGES_THAT_MAKE_UP;
        let count = if is_made_up_for { 0 } else { self.count };
        Self {
            count: count + 1,
            pages,
        }
    }

    /// Whether they end the run.
    pub const fn are_too_many(self) -> bool {
        self.count >= MAX_CRASHES_OF_RUN
    }

    /// Whether a run that has written so many pages reads one page at a time. After its first crash that is so until
    /// each partition is past the place where it was; after each further one, for four times as many pages as before.
    pub const fn is_serial(self, pages: u64) -> bool {
        pages < self.serial_until()
    }

    const fn serial_until(self) -> u64 {
        match self.count {
            0 | 1 => self.pages,
            more => self.pages.saturating_add(4_u64.saturating_pow(more)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The crashes of a run that writes so many pages before each of them.
    fn after(pages: &[u64]) -> (Crashes, u64) {
        let mut all = 0;
        let mut crashes = Crashes::default();
        for pages in pages {
            all += pages;
            crashes = crashes.one_more(all);
        }
        (crashes, all)
    }

    #[test]
    fn each_further_crash_makes_the_run_serial_for_four_times_as_long() {
        for (crashes, serial) in [(1, 0), (2, 16), (3, 64), (4, 256), (8, 65_536)] {
            let (crashes, pages) = after(&vec![5; crashes]);
            assert!(!crashes.is_serial(pages + serial), "{crashes:?}");
            assert_eq!(
                crashes.is_serial(pages + serial.saturating_sub(1)),
                serial > 0
            );
        }
    }

    proptest! {
        #[test]
        fn the_ninth_of_crashes_that_follow_each_other_closely_is_too_many(
            pages in prop::collection::vec(0_u64..100, 9),
        ) {
            prop_assert!(!after(&pages[..8]).0.are_too_many());
            prop_assert!(after(&pages).0.are_too_many());
        }

        #[test]
        fn crashes_that_enough_pages_made_up_for_are_never_too_many(
            crashes in 1_usize..60, pages in 100_u64..1_000,
        ) {
            let (crashes, pages) = after(&vec![pages; crashes]);
            prop_assert!(!crashes.are_too_many() && !crashes.is_serial(pages));
        }
    }
}

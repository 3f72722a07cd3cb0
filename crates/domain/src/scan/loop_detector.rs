//! How a partition detects that its cursors lead in a circle, or that its pages bring no new profiles.

use crate::ids::Cursor;

/// Brent's cycle detection: the detector remembers one cursor and replaces it at every power of two. It finds
/// any circle of cursors within a few rounds, in constant space.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LoopDetector {
    remembered: Option<Cursor>,
    steps: u64,
    limit: u64,
    /// How many pages in a row held no profile that was new to the run.
    pages_without_new_profiles: u64,
}

/// The cursors of a list lead in a circle, or its pages bring no new profiles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Klaviyo's pages lead in a circle")]
pub struct CursorLoop;

/// How many pages in a row without new profiles are always tolerated: a range that is read again begins with
/// the whole second in which it stopped, and a bulk import can put 100,000 joins into one second.
const TOLERATED_PAGES_WITHOUT_NEW_PROFILES: u64 = 1_000;

impl LoopDetector {
    /// Checks the cursor `next`, which follows the `pages`-th page; that page held `new_profiles` profiles that
    /// were not seen before.
    pub fn step(&mut self, next: &Cursor, new_profiles: u64, pages: u64) -> Result<(), CursorLoop> {
        self.pages_without_new_profiles = if new_profiles == 0 {
            self.pages_without_new_profiles + 1
        } else {
            0
        };
        // A long scan may have more pages without new profiles than a short one, but not without end.
        let is_endless =
            self.pages_without_new_profiles > TOLERATED_PAGES_WITHOUT_NEW_PROFILES.max(pages / 2);
        if is_endless || self.remembered.as_ref() == Some(next) {
            return Err(CursorLoop);
        }
        self.steps += 1;
        if self.steps >= self.limit {
            self.remembered = Some(next.clone());
            self.steps = 0;
            self.limit = (self.limit * 2).max(1);
        }
        Ok(())
    }

    /// Forgets the cursors: a range is read again, so the same cursors may follow, and that is no circle.
    pub(super) fn begin_anew(&mut self) {
        *self = Self {
            pages_without_new_profiles: self.pages_without_new_profiles,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cursor(n: u64) -> Cursor {
        Cursor::parse(format!("c{n}")).unwrap()
    }

    proptest! {
        #[test]
        fn every_circle_of_cursors_is_detected(lead in 0_u64..200, round in 1_u64..200) {
            let mut watch = LoopDetector::default();
            let cursors = (0..lead).chain((0..).map(|n| lead + n % round));
            let detected = (0..4 * (lead + round) + 8)
                .zip(cursors)
                .any(|(n, at)| watch.step(&cursor(at), 1, n).is_err());
            prop_assert!(detected);
        }

        #[test]
        fn a_scan_without_circles_is_never_stopped_however_long_it_is(pages in 0_u64..5_000) {
            let mut watch = LoopDetector::default();
            for n in 0..pages {
                prop_assert!(watch.step(&cursor(n), 1, n).is_ok());
            }
        }
    }

    #[test]
    fn a_scan_that_never_ends_and_shows_no_new_profiles_is_stopped() {
        let mut watch = LoopDetector::default();
        let stopped = (0..2_000).find(|n| watch.step(&cursor(*n), 0, *n).is_err());
        assert_eq!(stopped, Some(1_000));
    }

    #[test]
    fn cursors_may_repeat_after_a_new_beginning_but_pages_without_new_profiles_still_count() {
        let mut watch = LoopDetector::default();
        for n in 0..50 {
            watch.step(&cursor(n), 0, n).unwrap();
        }
        watch.begin_anew();
        let stopped = (0..2_000).find(|n| watch.step(&cursor(*n), 0, *n).is_err());
        assert_eq!(stopped, Some(950));
    }
}

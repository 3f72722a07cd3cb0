//! Where a run stands in its walk over a list, and how it notices that the walk leads nowhere.

use crate::ids::{ConsumerId, Cursor, ProfileId};
use crate::time::Timestamp;

/// A run's position. Written in the transaction that writes the page it stands behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Checkpoint {
    /// What the run is doing.
    pub phase: Phase,
    /// Where the next page begins; `None` for the first page and for a range read anew.
    pub cursor: Option<Cursor>,
    /// Where the range begins that `cursor` is a position of; `None` for the whole list.
    pub range_from: Option<Timestamp>,
    /// The latest join time seen: where to begin again when Klaviyo forgets the cursor.
    pub joined_until: Option<Timestamp>,
    /// The watch on cursors.
    pub watch: CursorWatch,
    /// Pages in a row that held no profile the run had not seen.
    pub barren_pages: u64,
}

/// The phases of a run, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Phase {
    /// The list's name and size are still to be read.
    #[default]
    Opening,
    /// Pages are being taken.
    Reading,
    /// All pages are taken; members that are missing are added, from this profile on.
    Adding(Option<ProfileId>),
    /// Members that were not seen are removed, from this consumer on. The guard has agreed.
    Removing(Option<ConsumerId>),
}

/// Brent's cycle detection: one remembered cursor, moved up at every power of two, meets any
/// circle of cursors within a few rounds of it, in constant space.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CursorWatch {
    remembered: Option<Cursor>,
    steps: u64,
    limit: u64,
}

/// The walk over a list leads in a circle or nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Klaviyo's pages lead in a circle")]
pub struct CursorLoop;

/// Pages without a new profile that are always tolerated: a range read anew begins with the whole
/// second it stopped in, and a bulk import can put 100,000 joins into one second.
const TOLERATED_BARREN_PAGES: u64 = 1_000;

impl CursorWatch {
    fn step(&mut self, next: &Cursor) -> Result<(), CursorLoop> {
        if self.remembered.as_ref() == Some(next) {
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
}

impl Checkpoint {
    /// Moves behind a page: `next` is where Klaviyo says the following one begins (`None` after the
    /// last), `joined` the latest join time on the page, `new_profiles` how many were seen for the
    /// first time, `pages` how many the run has taken with this one.
    pub fn advance(
        &mut self,
        next: Option<Cursor>,
        joined: Option<Timestamp>,
        new_profiles: u64,
        pages: u64,
    ) -> Result<(), CursorLoop> {
        self.joined_until = self.joined_until.max(joined);
        self.barren_pages = if new_profiles == 0 {
            self.barren_pages + 1
        } else {
            0
        };
        if let Some(next) = next {
            // A walk may be barren for as long as it was fruitful, but not for ever.
            if self.barren_pages > TOLERATED_BARREN_PAGES.max(pages / 2) {
                return Err(CursorLoop);
            }
            self.watch.step(&next)?;
            self.cursor = Some(next);
        } else {
            self.cursor = None;
            self.phase = Phase::Adding(None);
        }
        Ok(())
    }

    /// Gives up a cursor that Klaviyo no longer takes: the walk goes on from the latest join time
    /// seen. Tells `false` if there was no cursor to give up.
    pub fn reposition(&mut self) -> bool {
        if self.cursor.take().is_none() {
            return false;
        }
        // The new range may pass the same positions again: that is no circle.
        self.watch = CursorWatch::default();
        self.range_from = self.joined_until;
        true
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
        fn every_circle_of_cursors_is_noticed(lead in 0_u64..200, round in 1_u64..200) {
            let mut checkpoint = Checkpoint::default();
            let cursors = (0..lead).chain((0..).map(|n| lead + n % round));
            let noticed = (0..4 * (lead + round) + 8).zip(cursors).any(|(n, at)| {
                checkpoint.advance(Some(cursor(at)), None, 1, n).is_err()
            });
            prop_assert!(noticed);
        }

        #[test]
        fn a_straight_walk_of_any_length_is_never_stopped(pages in 0_u64..5_000) {
            let mut checkpoint = Checkpoint::default();
            for n in 0..pages {
                prop_assert!(checkpoint.advance(Some(cursor(n)), None, 1, n).is_ok());
            }
        }
    }

    #[test]
    fn a_walk_that_never_ends_and_shows_nobody_new_is_stopped() {
        let mut checkpoint = Checkpoint::default();
        let stopped =
            (0..2_000).find(|n| checkpoint.advance(Some(cursor(*n)), None, 0, *n).is_err());
        assert_eq!(stopped, Some(1_000));
    }

    #[test]
    fn a_forgotten_cursor_is_given_up_once_and_the_join_time_kept() {
        let joined = Timestamp::from_micros(5_000_000);
        let mut checkpoint = Checkpoint::default();
        checkpoint.advance(Some(cursor(1)), joined, 100, 1).unwrap();

        assert!(checkpoint.reposition());
        assert!(!checkpoint.reposition());
        assert_eq!(checkpoint.range_from, joined);
    }
}

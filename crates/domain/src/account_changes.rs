//! Changes of profiles, which Klaviyo tells of the whole account alone: they are read once in an interval, and applied to
//! every audience of the account.
//!
//! An incremental pass meets only who has joined. So its last phase reads which profiles of the account have changed since
//! they were last read, unless a pass of another audience has done so within the interval, or is doing it.

use std::time::Duration;

use crate::ids::{Cursor, RunId};
use crate::klaviyo::ChangedFrom;
use crate::scan::{CursorLoop, LoopDetector};
use crate::time::Timestamp;
use crate::watermarks::OVERLAP;

/// How far the changes of an account's profiles are read, as its connection remembers it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChanges {
    /// The last reading; `None` if there was none yet.
    pub last: Option<Reading>,
    /// The run that reads them now. It may have ended in the meantime: then another one takes over.
    pub reader: Option<RunId>,
}

/// A reading of an account's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// When it began. Every change before it has been read, whatever time Klaviyo gives it: this is a time of ours and none
    /// of Klaviyo's, which may lie in the future.
    pub began_at: Timestamp,
    /// When the next one is due: an interval later, of the audience whose pass it belonged to.
    pub next_at: Timestamp,
}

impl AccountChanges {
    /// Whether the pass of an audience with this interval has to read them. It does not where an audience that is synced as
    /// often will read them within the interval. Its pass may begin a quarter of the interval late.
    pub fn are_due(&self, interval: Duration, now: Timestamp) -> bool {
        self.last.is_none_or(|last| {
            // The clock was set back since.
            let is_ahead = last.began_at > now;
            let every = last.next_at.since(last.began_at);
            is_ahead || every > interval || now >= last.next_at.minus(every / 4)
        })
    }

    /// The reading that begins now in the pass of an audience with this interval. It goes on from the last one. Complete
    /// passes have read what was there at their starts, too, the earliest of which is `full_passes_since`.
    pub fn begin(
        &self,
        interval: Duration,
        full_passes_since: Option<Timestamp>,
        now: Timestamp,
    ) -> ChangesScan {
        let last = self.last.map(|last| last.began_at);
        let read_until = last.filter(|until| *until <= now);
        let since = read_until.max(full_passes_since).unwrap_or(now).min(now);
        ChangesScan {
            reading: Reading {
                began_at: now,
                next_at: now.plus(interval),
            },
            after: since.minus(OVERLAP).whole_second(),
            cursor: None,
            latest: None,
            loops: LoopDetector::default(),
            pages: 0,
        }
    }
}

/// How far a run has read the changes of its account, in the order of their times.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangesScan {
    /// What the account remembers of it when all are read.
    pub reading: Reading,
    /// Changes after this time are read.
    after: Timestamp,
    /// The position of the next page; `None` for the beginning.
    cursor: Option<Cursor>,
    /// The latest change that was read.
    latest: Option<Timestamp>,
    loops: LoopDetector,
    pages: u64,
}

impl ChangesScan {
    /// Where the next page begins.
    pub fn from(&self) -> ChangedFrom {
        ChangedFrom {
            after: self.after,
            cursor: self.cursor.clone(),
        }
    }

    /// A page was taken whose latest change is `latest`, and `next` is the position after it. Returns whether that was the
    /// last one.
    pub(crate) fn advance(
        &mut self,
        next: Option<Cursor>,
        latest: Option<Timestamp>,
    ) -> Result<bool, CursorLoop> {
        // Within one second, pages say nothing of whether they come to an end.
        let is_further = latest > self.latest;
        self.latest = self.latest.max(latest);
        self.pages += 1;
        if let Some(next) = &next {
            let pages = self.pages;
            self.loops.step(next, u64::from(is_further), pages)?;
        }
        self.cursor = next;
        Ok(self.cursor.is_none())
    }

    /// Goes on from the latest change because Klaviyo refuses the cursor. That may be a change dated in the future, after
    /// which there are no others.
    pub(crate) fn reposition(&mut self) {
        if self.cursor.take().is_some() {
            self.loops = LoopDetector::default();
            let second = Duration::from_secs(1);
            let latest = self.latest.map(|at| at.whole_second().minus(second));
            self.after = latest.unwrap_or(self.after).max(self.after);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000).unwrap()
    }

    fn read_at(seconds: i64, interval: Duration) -> AccountChanges {
        let scan = AccountChanges::default().begin(interval, None, at(seconds));
        AccountChanges {
            last: Some(scan.reading),
            reader: None,
        }
    }

    const INTERVAL: Duration = Duration::from_mins(15);

    proptest! {
        /// However the passes of several audiences lie, and however late each of them begins within reason.
        #[test]
        fn changes_are_read_once_in_an_interval(
            offsets in prop::collection::vec(0_i64..900, 1..6), late in prop::collection::vec(0_i64..200, 36),
        ) {
            let mut passes: Vec<i64> = Vec::new();
            for (number, late) in late.chunks_exact(offsets.len()).enumerate() {
                let round = i64::try_from(number).unwrap() * 900;
                passes.extend(offsets.iter().zip(late).map(|(offset, late)| round + offset + late));
            }
            passes.sort_unstable();
            let mut changes = AccountChanges::default();
            let mut readings = Vec::new();
            for pass in passes {
                if changes.are_due(INTERVAL, at(pass)) {
                    changes = read_at(pass, INTERVAL);
                    readings.push(pass);
                }
            }
            for pair in readings.windows(2) {
                let apart = pair[1] - pair[0];
                prop_assert!((675..=1_100).contains(&apart), "{readings:?}");
            }
        }

        #[test]
        fn a_reading_overlaps_the_one_before_by_two_minutes_and_begins_no_earlier_than_complete_passes(
            until in 1_000_i64..1 << 31, later in 0_i64..1 << 20, full in prop::option::of(1_000_i64..1 << 31),
        ) {
            let now = at(until + later);
            let scan = read_at(until, INTERVAL).begin(INTERVAL, full.map(at), now);
            let since = full.map_or(until, |full| full.max(until)).min(until + later);
            prop_assert_eq!(scan.from().after, at(since).minus(OVERLAP));
            prop_assert_eq!(scan.reading.began_at, now);
            // A clock that was set back hides nothing that complete passes have not read.
            let ahead = read_at(until + later + 1, INTERVAL);
            prop_assert!(ahead.are_due(INTERVAL, now));
            let scan = ahead.begin(INTERVAL, full.map(at), now);
            prop_assert!(scan.from().after <= now.minus(OVERLAP));
        }
    }

    #[test]
    fn an_audience_that_syncs_more_often_does_not_wait_for_one_that_does_not() {
        let changes = read_at(1_000, INTERVAL * 4);
        assert!(changes.are_due(INTERVAL, at(1_001)));
        assert!(!changes.are_due(INTERVAL * 4, at(1_001)));
        assert!(!read_at(1_000, INTERVAL).are_due(INTERVAL * 4, at(1_001)));
        assert!(AccountChanges::default().are_due(INTERVAL, at(1_001)));
    }

    #[test]
    fn a_reading_without_a_cursor_goes_on_from_the_latest_change() {
        let cursor = |text: &str| Some(Cursor::parse(text).unwrap());
        let mut scan = AccountChanges::default().begin(INTERVAL, Some(at(1_000)), at(2_000));
        assert_eq!(scan.advance(cursor("a"), Some(at(1_500))), Ok(false));
        assert_eq!(scan.from().cursor, cursor("a"));
        scan.reposition();
        let want = ChangedFrom {
            after: at(1_499),
            cursor: None,
        };
        assert_eq!(scan.from(), want);
        assert_eq!(scan.advance(None, Some(at(1_501))), Ok(true));
    }

    #[test]
    fn pages_that_lead_in_a_circle_are_noticed() {
        let mut scan = AccountChanges::default().begin(INTERVAL, None, at(2_000));
        let cursor = || Some(Cursor::parse("a").unwrap());
        let circle = (0..10).find(|_| scan.advance(cursor(), None).is_err());
        assert!(circle.is_some());
    }
}

//! History: since when and until when consumers were members of an audience.
//!
//! A membership begins and ends with the writing unit that wrote it, at that unit's time. Writing units of an
//! organization follow one another, so what a unit has written has a time no earlier than everything before it, and
//! the members at a time are those whom the last unit before it left.

use std::time::Duration;

use crate::ids::{ConsumerId, RunId, SnapshotId};
use crate::text_enum::text_enum;
use crate::time::Timestamp;

/// How long history is kept unless it is configured otherwise.
pub const KEPT_FOR: Duration = Duration::from_hours(400 * 24);

/// The most snapshots that an audience has.
pub const MAX_SNAPSHOTS: u64 = 200;

/// The longest name of a snapshot, in characters.
pub const MAX_SNAPSHOT_NAME_CHARS: usize = crate::audience::MAX_NAME_CHARS;

const MILLISECOND: i64 = 1_000;

/// The time of memberships that a writing unit begins or ends which began to write at this time: the next whole
/// millisecond, so that a time that was shown, which has no more digits, means the same when it is sent back.
pub fn moment(written: Timestamp) -> Timestamp {
    let micros = written.as_micros();
    let up = micros.rem_euclid(MILLISECOND).cmp(&0).is_gt();
    let whole = micros.div_euclid(MILLISECOND) + i64::from(up);
    Timestamp::from_micros(whole.saturating_mul(MILLISECOND)).unwrap_or(written)
}

/// The time of a snapshot that is taken at this time: the last whole millisecond. A membership that begins or ends in a
/// later unit does so after it.
pub fn moment_before(taken: Timestamp) -> Timestamp {
    let micros = taken.as_micros();
    Timestamp::from_micros(micros - micros.rem_euclid(MILLISECOND)).unwrap_or(taken)
}

/// A membership, which may have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Whose.
    pub consumer: ConsumerId,
    /// Since when; the first moment at which the consumer was a member.
    pub began: Timestamp,
    /// The run that began it; `None` if it was begun by hand.
    pub joined_by: Option<RunId>,
    /// How it ended, if it has.
    pub end: Option<MembershipEnd>,
}

/// The end of a membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipEnd {
    /// The first moment at which the consumer was no member any more.
    pub at: Timestamp,
    /// The run that ended it; `None` if it was ended by hand.
    pub left_by: Option<RunId>,
}

impl Membership {
    /// The membership as it is kept after it ended; `None` if it ended when it began, by a clock that shows no more
    /// or was set back: the consumer was a member at no time then.
    #[must_use]
    pub fn ended(self, at: Timestamp, left_by: Option<RunId>) -> Option<Self> {
        (self.began < at).then_some(Self {
            end: Some(MembershipEnd { at, left_by }),
            ..self
        })
    }

    /// Whether the consumer was a member at this time.
    pub fn covers(&self, time: Timestamp) -> bool {
        self.began <= time && self.end.as_ref().is_none_or(|end| time < end.at)
    }

    /// Its beginning and its end, as changes of the audience.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        let change = |kind, at, run: &Option<RunId>| Change {
            at,
            kind,
            consumer: self.consumer.clone(),
            run: run.clone(),
        };
        let joined = change(ChangeKind::Joined, self.began, &self.joined_by);
        let left = self.end.as_ref();
        let left = left.map(|end| change(ChangeKind::Left, end.at, &end.left_by));
        std::iter::once(joined).chain(left)
    }
}

text_enum! {
    /// What a change of an audience was. Of two changes of one consumer at one time the leaving came first: no
    /// membership is kept that began and ended at one time.
    ChangeKind {
        /// A membership ended.
        Left = "LEFT",
        /// A membership began.
        Joined = "JOINED",
    }
}

/// A membership that began or ended. Changes have an order: by time, kind and consumer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Which of both.
    pub kind: ChangeKind,
    /// Whose membership.
    pub consumer: ConsumerId,
    /// The run that did it; `None` if it was done by hand.
    pub run: Option<RunId>,
}

/// Above every id, which is ASCII.
const END: &str = "\u{10FFFF}";

/// The place of a change in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeKey {
    at: Timestamp,
    kind: ChangeKind,
    consumer: ConsumerId,
}

impl ChangeKey {
    /// The place of a leaving.
    pub const fn of_leaving(at: Timestamp, consumer: ConsumerId) -> Self {
        Self {
            at,
            kind: ChangeKind::Left,
            consumer,
        }
    }

    /// The key as text: microseconds, kind and consumer.
    pub fn to_text(&self) -> String {
        format!("{} {} {}", self.at.as_micros(), self.kind, self.consumer)
    }

    /// Reads the text; `None` if it is none of a key.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        Some(Self {
            at: Timestamp::from_micros(parts.next()?.parse().ok()?)?,
            kind: ChangeKind::parse(parts.next()?)?,
            consumer: ConsumerId::parse(parts.next()?).ok()?,
        })
    }

    /// The time and the consumer before which the changes of a kind come before this key.
    pub fn before(&self, kind: ChangeKind) -> (Timestamp, &str) {
        let consumer = match kind.cmp(&self.kind) {
            std::cmp::Ordering::Less => END,
            std::cmp::Ordering::Equal => self.consumer.as_str(),
            std::cmp::Ordering::Greater => "",
        };
        (self.at, consumer)
    }

    /// The time and the consumer after which the changes of a kind follow this key.
    pub fn after(&self, kind: ChangeKind) -> (Timestamp, &str) {
        let consumer = match kind.cmp(&self.kind) {
            std::cmp::Ordering::Less => END,
            std::cmp::Ordering::Equal => self.consumer.as_str(),
            std::cmp::Ordering::Greater => "",
        };
        (self.at, consumer)
    }
}

impl Change {
    /// Its place.
    pub fn key(&self) -> ChangeKey {
        ChangeKey {
            at: self.at,
            kind: self.kind,
            consumer: self.consumer.clone(),
        }
    }
}

/// Which changes to list: from a time on, before another, after a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRange {
    /// None before this time.
    pub since: Timestamp,
    /// None at this time or later.
    pub until: Option<Timestamp>,
    /// None up to this one.
    pub after: Option<ChangeKey>,
}

impl ChangeRange {
    /// The time and the consumer after which the changes of a kind are in the range.
    pub fn begin_of(&self, kind: ChangeKind) -> (Timestamp, &str) {
        let since = (self.since, "");
        let after = self.after.as_ref().map(|key| key.after(kind));
        after.map_or(since, |after| after.max(since))
    }

    /// Whether a change is in the range.
    pub fn contains(&self, change: &Change) -> bool {
        self.since <= change.at
            && self.until.is_none_or(|until| change.at < until)
            && self
                .after
                .as_ref()
                .is_none_or(|after| *after < change.key())
    }
}

/// The members of an audience at a time, kept by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Its name.
    pub name: String,
    /// The time.
    pub at: Timestamp,
    /// How many members there were, as it was taken.
    pub members: u64,
}

/// How an audience changed from one time to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// How many members there were at the first time.
    pub members_at_from: u64,
    /// How many there were at the second.
    pub members_at_to: u64,
    /// How many were members at the second time and not at the first.
    pub joined: u64,
    /// How many were members at the first time and not at the second.
    pub left: u64,
}

impl Difference {
    /// Of the members at both times and of those who were members at the first alone.
    pub const fn of(members_at_from: u64, members_at_to: u64, left: u64) -> Self {
        Self {
            members_at_from,
            members_at_to,
            joined: (members_at_to + left).saturating_sub(members_at_from),
            left,
        }
    }
}

/// For which times the history of an audience answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The first time.
    pub earliest: Timestamp,
    now: Timestamp,
}

/// A time for which history does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// It is still to come.
    #[error("is in the future; history answers for times from {0} until now")]
    Future(Timestamp),
    /// What was then is deleted, or was never kept.
    #[error("is before the history that is kept; the earliest time is {0}")]
    TooEarly(Timestamp),
}

impl Kept {
    /// By how much a caller's clock may be ahead.
    const AHEAD: Duration = Duration::from_secs(1);

    /// What is kept now if it is kept for so long, and if nothing before `since` is there.
    pub fn of(now: Timestamp, kept_for: Duration, since: Option<Timestamp>) -> Self {
        let earliest = now.minus(kept_for);
        Self {
            // A whole millisecond, as it is shown.
            earliest: moment(since.map_or(earliest, |since| since.max(earliest))),
            now,
        }
    }

    /// Whether history answers for a time.
    pub fn check(&self, time: Timestamp) -> Result<(), NotKept> {
        if time > self.now.plus(Self::AHEAD) {
            return Err(NotKept::Future(self.earliest));
        }
        if time < self.earliest {
            return Err(NotKept::TooEarly(self.earliest));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn membership(began: i64) -> Membership {
        Membership {
            consumer: ConsumerId::parse("cons_1").unwrap(),
            began: time(began),
            joined_by: RunId::parse("run_1").ok(),
            end: None,
        }
    }

    #[test]
    fn a_membership_covers_its_beginning_and_not_its_end() {
        let run = RunId::parse("run_2").ok();
        let ended = membership(10).ended(time(20), run.clone()).unwrap();
        let covered: Vec<bool> = [9, 10, 19, 20].map(|at| ended.covers(time(at))).into();
        assert_eq!(covered, [false, true, true, false]);
        assert!(membership(10).covers(time(1 << 40)));
        for no_later in [10, 9] {
            assert_eq!(membership(10).ended(time(no_later), run.clone()), None);
        }
    }

    #[test]
    fn history_answers_from_its_earliest_time_until_now() {
        let (now, day) = (time(1_000_000_000_000), Duration::from_hours(24));
        let kept = Kept::of(now, day, None);
        assert_eq!(kept.earliest, now.minus(day));
        assert_eq!(kept.check(now), Ok(()));
        assert_eq!(kept.check(kept.earliest), Ok(()));
        let earlier = kept.earliest.minus(Duration::from_micros(1));
        assert_eq!(kept.check(earlier), Err(NotKept::TooEarly(kept.earliest)));
        let later = now.plus(Duration::from_secs(2));
        assert_eq!(kept.check(later), Err(NotKept::Future(kept.earliest)));
        assert_eq!(Kept::of(now, day, Some(time(1))).earliest, kept.earliest);
        assert_eq!(Kept::of(now, day, Some(now)).earliest, now);
    }

    proptest! {
        #[test]
        fn a_moment_is_what_its_text_says(micros in -1_i64 << 40..1 << 40) {
            let written = time(micros);
            let (after, before) = (moment(written), moment_before(written));
            prop_assert!(before <= written && written <= after);
            for moment in [after, before] {
                prop_assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
            }
            prop_assert!(after > before || written == before);
        }

        #[test]
        fn a_range_after_a_key_begins_with_the_next_change(
            changes in proptest::collection::btree_set((0_i64..4, any::<bool>(), 0_u8..4), 1..20),
            since in 0_i64..4,
        ) {
            let change = |(at, joined, consumer): (i64, bool, u8)| Change {
                at: time(at),
                kind: if joined { ChangeKind::Joined } else { ChangeKind::Left },
                consumer: ConsumerId::parse(format!("cons_{consumer}")).unwrap(),
                run: RunId::parse("run_1").ok(),
            };
            let mut changes: Vec<Change> = changes.into_iter().map(change).collect();
            changes.sort();
            for n in 0..changes.len() {
                let after = ChangeKey::parse(&changes[n].key().to_text());
                prop_assert_eq!(after.as_ref(), Some(&changes[n].key()));
                let range = ChangeRange { since: time(since), until: None, after };
                for (m, change) in changes.iter().enumerate() {
                    let want = m > n && change.at >= time(since);
                    prop_assert_eq!(range.contains(change), want);
                    let place = (change.at, change.consumer.as_str());
                    prop_assert_eq!(place > range.begin_of(change.kind), want);
                }
            }
        }
    }
}

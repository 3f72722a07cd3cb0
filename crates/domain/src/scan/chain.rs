//! Chains: a second in which so many members joined that its pages can only be read one after the other.
//!
//! Klaviyo's filters know whole seconds, so such a second is in one partition. It is read from both ends: forwards by its
//! partition, and backwards by another one. Both have met when the one has come to an id that the other has reached.
//! That proves something only because the members of one second come in the order of their ids: each page shows whether
//! they do. If they do not, the second is read forwards alone.

use super::partition::PartitionNumber;
use crate::ids::ProfileId;
use crate::time::Timestamp;

/// How far a partition has come within a second of which it has read a whole page.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Chain {
    /// The second.
    pub(super) second: Timestamp,
    /// The last member of the last page; `None` before the first page backwards, and if the members do not come in the
    /// order of their ids.
    pub(super) last: Option<ProfileId>,
}

/// What a scan knows of its chains.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Chains {
    /// A second in which all members on a page of the list's end joined: it may be long, so a partition begins there.
    pub(super) last_second: Option<Timestamp>,
    /// Whether chains are read forwards alone, because their members do not come in the order of their ids, or because
    /// something failed where one was read backwards.
    pub(super) is_forwards_only: bool,
    /// How many of the scan's partitions read chains backwards, or go on behind chains.
    pub(super) added: PartitionNumber,
}

/// A page all of whose members joined in one second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneSecond {
    pub(super) second: Timestamp,
    pub(super) first: ProfileId,
    pub(super) last: ProfileId,
    /// Whether each id is greater than the one before.
    pub(super) is_ascending: bool,
    /// Whether each id is less than the one before.
    pub(super) is_descending: bool,
}

impl OneSecond {
    /// Of the members of a page, in its order; `None` if there are none, or if they joined in several seconds, or a join
    /// time is not known.
    pub fn of<'a>(
        members: impl IntoIterator<Item = (&'a ProfileId, Option<Timestamp>)>,
    ) -> Option<Self> {
        let mut members = members.into_iter();
        let (first, joined) = members.next()?;
        let second = joined?.whole_second();
        let (mut last, mut is_ascending, mut is_descending) = (first, true, true);
        for (id, joined) in members {
            if joined?.whole_second() != second {
                return None;
            }
            is_ascending &= last < id;
            is_descending &= last > id;
            last = id;
        }
        Some(Self {
            second,
            first: first.clone(),
            last: last.clone(),
            is_ascending,
            is_descending,
        })
    }

    /// Whether it has two members at least: one alone is in any order.
    fn shows_order(&self) -> bool {
        self.first != self.last
    }

    /// The chain after this page, read forwards behind `before`; its members come in the order of their ids, or the chain
    /// has no position.
    pub(super) fn forwards(&self, before: Option<&Chain>) -> Chain {
        let before = before.filter(|chain| chain.second == self.second);
        let goes_on = before.is_none_or(|chain| {
            let last = chain.last.as_ref();
            last.is_some_and(|last| *last < self.first)
        });
        let is_ordered = self.is_ascending && (before.is_some() || self.shows_order());
        Chain {
            second: self.second,
            last: (goes_on && is_ordered).then(|| self.last.clone()),
        }
    }

    /// The chain after this page, read backwards behind `before`; `None` if the page is not its next one.
    pub(super) fn backwards(&self, before: &Chain) -> Option<Chain> {
        let goes_on = before.last.as_ref();
        let goes_on = goes_on.map_or(self.shows_order(), |last| self.first < *last);
        (goes_on && self.is_descending && self.second == before.second).then(|| Chain {
            second: self.second,
            last: Some(self.last.clone()),
        })
    }
}

impl Chain {
    /// Whether this one, read forwards, and the other one, read backwards, have come to each other.
    pub(super) fn meets(&self, backwards: &Self) -> bool {
        let ends = (self.last.as_ref(), backwards.last.as_ref());
        self.second == backwards.second
            && matches!(ends, (Some(forwards), Some(backwards)) if forwards >= backwards)
    }
}

//! An audience that is kept in a Klaviyo list, and the list's ledger.

use std::time::Duration;

use super::{Confirmation, MustConfirm, PREVIEW_LASTS, Standing};
use crate::history::moment_before;
use crate::ids::{AudienceId, CollectionId, ConsumerId, ProfileId};
use crate::text_enum::text_enum;
use crate::time::Timestamp;
use crate::writing::Flow;

/// How many people a push changes without a confirmation, unless the organization has chosen another number.
pub const PUSH_LIMIT: u64 = 1_000;

/// For how long changes of an audience are collected after a push of it: a burst of them becomes few pushes.
pub const COALESCED_FOR: Duration = Duration::from_secs(10);

/// How often all members of a list are read, to see whom others took off.
pub const SCANNED_EVERY: Duration = Duration::from_hours(24);

/// How long after a write a scan may still miss it.
pub const SETTLES: Duration = Duration::from_secs(30);

/// How many previews of one list can be confirmed at a time.
const MOST_PREVIEWS: usize = 20;

/// An audience that is kept in a Klaviyo list. A list keeps one audience at most.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeptList {
    /// The audience.
    pub audience: AudienceId,
    /// The list.
    pub list: CollectionId,
    /// The list's name when it was chosen.
    pub name: Option<String>,
    /// When it was chosen.
    pub chosen_at: Timestamp,
    /// Who chose it.
    pub chosen_by: String,
    /// What was shown and may be confirmed, the latest last.
    pub previews: Vec<Confirmation>,
    /// The flows that were shown when a push was last confirmed; `None` before, and if the key may not read them.
    pub confirmed_flows: Option<Vec<Flow>>,
    /// The time of the audience up to which its changes are in the list; `None` until a whole push has succeeded.
    pub followed_until: Option<Timestamp>,
    /// When a push last ended.
    pub last_pushed_at: Option<Timestamp>,
    /// When the reading of all members of the list that was last completed began.
    pub last_scanned_at: Option<Timestamp>,
    /// What a person has to confirm before changes are followed again.
    pub waits_for: Option<MustConfirm>,
}

impl KeptList {
    /// The list that was just chosen.
    pub const fn new(
        audience: AudienceId,
        list: CollectionId,
        name: Option<String>,
        chosen_at: Timestamp,
        chosen_by: String,
    ) -> Self {
        Self {
            audience,
            list,
            name,
            chosen_at,
            chosen_by,
            previews: Vec::new(),
            confirmed_flows: None,
            followed_until: None,
            last_pushed_at: None,
            last_scanned_at: None,
            waits_for: Some(MustConfirm::First),
        }
    }

    /// Whether changes of the audience are pushed by themselves now.
    pub const fn is_followed(&self) -> bool {
        self.waits_for.is_none() && self.followed_until.is_some()
    }

    /// Keeps a preview that is shown now, and forgets those that are too old.
    pub fn show(&mut self, preview: Confirmation) {
        let now = preview.shown_at;
        self.previews
            .retain(|shown| now.since(shown.shown_at) < PREVIEW_LASTS);
        self.previews.push(preview);
        let too_many = self.previews.len().saturating_sub(MOST_PREVIEWS);
        self.previews.drain(..too_many);
    }

    /// The preview with this text.
    pub fn shown(&self, text: &str) -> Option<&Confirmation> {
        self.previews.iter().find(|shown| shown.text == text)
    }

    /// When its work is due by itself: changes that were collected, or the next reading of all members.
    pub fn next_scan_due(&self) -> Timestamp {
        let since = self.last_scanned_at.unwrap_or(self.chosen_at);
        since.plus(SCANNED_EVERY)
    }

    /// When changes that were made meanwhile may be pushed.
    pub fn next_push_due(&self) -> Timestamp {
        self.last_pushed_at
            .map_or(Timestamp::EPOCH, |last| last.plus(COALESCED_FOR))
    }

    /// Everything that the audience was before this unit is in the list, or is being written: what comes later is followed from
    /// here on. A change of a unit that began at this time is met once more, which changes nothing.
    pub fn follow_from(&mut self, unit_began: Timestamp) {
        self.followed_until = Some(moment_before(unit_began));
    }
}

text_enum! {
    /// What the ledger of a list holds of a profile.
    RowStanding {
        /// See [`Standing::Adding`].
        Adding = "ADDING",
        /// See [`Standing::Added`].
        Added = "ADDED",
        /// See [`Standing::Removing`].
        Removing = "REMOVING",
        /// See [`Standing::TakenOff`].
        TakenOff = "TAKEN_OFF",
        /// They were in the list when its members were last read, and we have not added them.
        Theirs = "THEIRS",
    }
}

impl RowStanding {
    /// What it says of what we did; `None` of members of others.
    pub const fn ours(self) -> Option<Standing> {
        match self {
            Self::Adding => Some(Standing::Adding),
            Self::Added => Some(Standing::Added),
            Self::Removing => Some(Standing::Removing),
            Self::TakenOff => Some(Standing::TakenOff),
            Self::Theirs => None,
        }
    }

    /// Whether the answer to a write is still to come.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Adding | Self::Removing)
    }
}

impl From<Standing> for RowStanding {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Adding => Self::Adding,
            Standing::Added => Self::Added,
            Standing::Removing => Self::Removing,
            Standing::TakenOff => Self::TakenOff,
        }
    }
}

/// A row of a list's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The profile.
    pub profile: ProfileId,
    /// The consumer for whom it was added; `None` of members of others, and of erased people.
    pub consumer: Option<ConsumerId>,
    /// What is held of it.
    pub standing: RowStanding,
    /// When it was last written.
    pub since: Timestamp,
    /// When the reading of all members began that met it last.
    pub seen_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::Preview;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    fn kept() -> KeptList {
        let audience = AudienceId::parse("aud_1").unwrap();
        let list = CollectionId::parse("L").unwrap();
        KeptList::new(audience, list, None, at(0), "key_1".to_owned())
    }

    fn preview(text: &str, second: i64) -> Confirmation {
        let kept = kept();
        Confirmation {
            text: text.to_owned(),
            preview: Preview {
                audience: kept.audience,
                list: kept.list,
                adds: 1,
                removes: 0,
                unknown: 0,
                new_profiles: 0,
                suppressed: 0,
                flows: None,
            },
            shown_at: at(second),
        }
    }

    #[test]
    fn previews_are_kept_for_as_long_as_they_may_be_confirmed() {
        let mut kept = kept();
        kept.show(preview("a", 0));
        kept.show(preview("b", 899));
        assert!(kept.shown("a").is_some() && kept.shown("b").is_some());
        kept.show(preview("c", 900));
        assert!(kept.shown("a").is_none() && kept.shown("b").is_some());
        for number in 0..50 {
            kept.show(preview(&format!("d{number}"), 901));
        }
        assert_eq!(kept.previews.len(), MOST_PREVIEWS);
        assert!(kept.shown("d49").is_some());
    }

    #[test]
    fn a_list_that_was_just_chosen_follows_nothing() {
        let mut kept = kept();
        assert!(!kept.is_followed());
        kept.waits_for = None;
        assert!(!kept.is_followed());
        kept.follow_from(at(5));
        assert!(kept.is_followed());
        kept.waits_for = Some(MustConfirm::TooMany);
        assert!(!kept.is_followed());
    }
}

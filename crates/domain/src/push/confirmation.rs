//! What a person has to confirm before a push, and whether they have.

use std::time::Duration;

use crate::ids::{AudienceId, CollectionId};
use crate::time::Timestamp;
use crate::writing::Flow;

/// How long a preview may be confirmed.
pub const PREVIEW_LASTS: Duration = Duration::from_mins(15);

/// What a push would do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Preview {
    /// The audience.
    pub audience: AudienceId,
    /// The list.
    pub list: CollectionId,
    /// How many people it would add, those among them who are suppressed included.
    pub adds: u64,
    /// How many it would remove.
    pub removes: u64,
    /// How many Klaviyo does not know, and does not get to know: they are not added.
    pub unknown: u64,
    /// For how many of those whom it would add a profile is made.
    #[serde(default)]
    pub new_profiles: u64,
    /// How many of those whom it would add are suppressed: they are not mailed.
    pub suppressed: u64,
    /// The flows that joining the list starts; `None` where the key may not read them.
    pub flows: Option<Vec<Flow>>,
}

/// Why a push needs a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MustConfirm {
    /// It changes more people than the connection's limit.
    TooMany,
    /// Live flows hang on the list: so many people would be mailed.
    Mails(u64),
    /// Whether flows hang on the list is not known.
    FlowsUnknown,
    /// It is the first push into this list.
    First,
}

/// Whether a push needs a person's confirmation, and why. `limit` is how many people a push may change without one.
pub fn must_confirm(preview: &Preview, limit: u64, is_first: bool) -> Option<MustConfirm> {
    let changes = preview.adds.saturating_add(preview.removes);
    if changes == 0 && !is_first {
        return None;
    }
    match &preview.flows {
        None => return Some(MustConfirm::FlowsUnknown),
        Some(flows) if preview.adds > 0 && flows.iter().any(Flow::may_mail) => {
            return Some(MustConfirm::Mails(
                preview.adds.saturating_sub(preview.suppressed),
            ));
        }
        Some(_) => {}
    }
    if changes > limit {
        return Some(MustConfirm::TooMany);
    }
    is_first.then_some(MustConfirm::First)
}

/// Whether changes that follow a push may be made without a person, and why not. `flows` are those that joining the list starts
/// now, `confirmed` those that were shown when somebody last confirmed a push.
pub fn may_follow(
    changes: PushCounts,
    limit: u64,
    flows: Option<&[Flow]>,
    confirmed: Option<&[Flow]>,
) -> Result<(), MustConfirm> {
    if changes.adds + changes.removes > limit {
        return Err(MustConfirm::TooMany);
    }
    if changes.adds == 0 {
        return Ok(());
    }
    let Some(flows) = flows else {
        return Err(MustConfirm::FlowsUnknown);
    };
    if mails_more(Some(confirmed.unwrap_or_default()), Some(flows)) {
        return Err(MustConfirm::Mails(changes.adds));
    }
    Ok(())
}

/// How many people a push changes something for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PushCounts {
    /// Whom it adds.
    pub adds: u64,
    /// Whom it removes.
    pub removes: u64,
}

impl MustConfirm {
    /// The reason as a word, for machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooMany => "too_many",
            Self::Mails(_) => "live_flows",
            Self::FlowsUnknown => "flows_unknown",
            Self::First => "first_push",
        }
    }
}

/// A preview that somebody was shown, with the text that confirms it. The store keeps it; the text alone says nothing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Confirmation {
    /// The text: random, and known to whoever saw the preview.
    pub text: String,
    /// What they saw.
    pub preview: Preview,
    /// When.
    pub shown_at: Timestamp,
}

/// Why a confirmation is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmationRefused {
    /// It is missing, or of no preview of this audience and list.
    Unknown,
    /// The preview is too old.
    Old,
    /// The push would do more than was shown: more people, or other flows that mail.
    More,
}

impl Confirmation {
    /// Whether a preview was shown, and so lately that it may be confirmed.
    pub fn check_age(shown: Option<&Self>, now: Timestamp) -> Result<(), ConfirmationRefused> {
        let shown = shown.ok_or(ConfirmationRefused::Unknown)?;
        if now < shown.shown_at || now.since(shown.shown_at) >= PREVIEW_LASTS {
            return Err(ConfirmationRefused::Old);
        }
        Ok(())
    }

    /// Whether a text confirms a push that would now do what `now_is` says. It may do less than was shown, and not more.
    pub fn check(
        stored: Option<&Self>,
        text: &str,
        now_is: &Preview,
        now: Timestamp,
    ) -> Result<(), ConfirmationRefused> {
        let found = stored
            .filter(|stored| {
                let shown = &stored.preview;
                let is_same = shown.audience == now_is.audience && shown.list == now_is.list;
                is_same && !text.is_empty() && stored.text == text
            })
            .ok_or(ConfirmationRefused::Unknown)?;
        Self::check_age(Some(found), now)?;
        let shown = &found.preview;
        let are_more = now_is.adds > shown.adds
            || now_is.removes > shown.removes
            || now_is.new_profiles > shown.new_profiles;
        if are_more || mails_more(shown.flows.as_deref(), now_is.flows.as_deref()) {
            return Err(ConfirmationRefused::More);
        }
        Ok(())
    }
}

/// Whether flows mail now that were not shown as such.
fn mails_more(shown: Option<&[Flow]>, now: Option<&[Flow]>) -> bool {
    let (Some(shown), Some(now)) = (shown, now) else {
        // Who confirmed without knowing the flows confirmed all of them.
        return shown.is_some();
    };
    let was_shown = |flow: &Flow| {
        shown
            .iter()
            .any(|known| known.id == flow.id && known.may_mail())
    };
    now.iter().any(|flow| flow.may_mail() && !was_shown(flow))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writing::FlowStatus;

    fn flow(id: &str, status: &str) -> Flow {
        Flow {
            id: id.to_owned(),
            name: None,
            status: FlowStatus::of(status),
            archived: false,
            trigger_type: None,
        }
    }

    fn preview(adds: u64, removes: u64, flows: Option<&[Flow]>) -> Preview {
        Preview {
            audience: AudienceId::parse("aud_1").unwrap(),
            list: CollectionId::parse("L").unwrap(),
            adds,
            removes,
            unknown: 0,
            new_profiles: 0,
            suppressed: 2,
            flows: flows.map(<[Flow]>::to_vec),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    #[test]
    fn who_would_be_mailed_has_to_be_confirmed_and_so_has_what_is_not_known() {
        let live = [flow("F1", "live")];
        let draft = [flow("F1", "draft")];
        let of = |preview: Preview| must_confirm(&preview, 1_000, false);
        assert_eq!(of(preview(10, 0, Some(&live))), Some(MustConfirm::Mails(8)));
        assert_eq!(
            of(preview(0, 10, Some(&live))),
            None,
            "leaving mails nobody"
        );
        assert_eq!(of(preview(10, 0, Some(&draft))), None);
        assert_eq!(of(preview(1, 0, None)), Some(MustConfirm::FlowsUnknown));
        assert_eq!(of(preview(600, 400, Some(&[]))), None);
        assert_eq!(of(preview(600, 401, Some(&[]))), Some(MustConfirm::TooMany));
        assert_eq!(of(preview(0, 0, None)), None);
        let first = must_confirm(&preview(1, 0, Some(&[])), 1_000, true);
        assert_eq!(first, Some(MustConfirm::First));
    }

    #[test]
    fn what_follows_a_push_needs_a_person_again_for_more_people_or_other_flows() {
        let live = [flow("F1", "live")];
        let two = [flow("F1", "live"), flow("F2", "live")];
        let counts = |adds, removes| PushCounts { adds, removes };
        let check = |changes, flows: Option<&[Flow]>, want| {
            assert_eq!(may_follow(changes, 10, flows, Some(&live)), want);
        };
        check(counts(6, 4), Some(&live), Ok(()));
        check(counts(6, 5), Some(&live), Err(MustConfirm::TooMany));
        check(counts(1, 0), Some(&two), Err(MustConfirm::Mails(1)));
        check(counts(1, 0), None, Err(MustConfirm::FlowsUnknown));
        check(counts(0, 9), None, Ok(()));
        let unknown_then = may_follow(counts(1, 0), 10, Some(&live), None);
        assert_eq!(unknown_then, Err(MustConfirm::Mails(1)));
    }

    #[test]
    fn a_confirmation_covers_what_was_shown_and_no_more_for_a_quarter_of_an_hour() {
        let live = [flow("F1", "live")];
        let stored = Confirmation {
            text: "secret".to_owned(),
            preview: preview(10, 5, Some(&live)),
            shown_at: at(100),
        };
        let check = |text: &str, now_is: Preview, second| {
            Confirmation::check(Some(&stored), text, &now_is, at(second))
        };
        let same = || preview(10, 5, Some(&live));
        assert_eq!(check("secret", same(), 100 + 899), Ok(()));
        assert_eq!(check("secret", preview(3, 0, Some(&[])), 101), Ok(()));
        assert_eq!(
            check("secret", same(), 1_000),
            Err(ConfirmationRefused::Old)
        );
        assert_eq!(check("secret", same(), 99), Err(ConfirmationRefused::Old));
        for text in ["", "Secret"] {
            assert_eq!(check(text, same(), 101), Err(ConfirmationRefused::Unknown));
        }
        let more = Err(ConfirmationRefused::More);
        assert_eq!(check("secret", preview(11, 5, Some(&live)), 101), more);
        assert_eq!(check("secret", preview(10, 6, Some(&live)), 101), more);
        let other = [flow("F1", "live"), flow("F2", "live")];
        assert_eq!(check("secret", preview(10, 5, Some(&other)), 101), more);
        assert_eq!(check("secret", preview(10, 5, None), 101), more);
        let mut elsewhere = same();
        elsewhere.list = CollectionId::parse("M").unwrap();
        assert_eq!(
            check("secret", elsewhere, 101),
            Err(ConfirmationRefused::Unknown)
        );
        let none = Confirmation::check(None, "secret", &same(), at(101));
        assert_eq!(none, Err(ConfirmationRefused::Unknown));
    }
}

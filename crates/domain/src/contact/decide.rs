//! What a read of a profile means for one field.

use std::time::Duration;

use super::Shared;
use crate::text_enum::text_enum;
use crate::time::Timestamp;
use crate::writing::PersonalText;

text_enum! {
    /// Which side's value stays where both sides have changed a field, in different ways.
    Winner {
        /// The later change, as far as that can be told.
        Latest = "LATEST",
        /// Klaviyo's.
        Klaviyo = "KLAVIYO",
        /// Fanfare's.
        Fanfare = "FANFARE",
    }
}

/// Who may write a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Klaviyo alone: it is read and never written.
    Klaviyo,
    /// Fanfare alone: it is written and never read.
    Fanfare,
    /// Both.
    Both,
    /// Both, but only where the other side has nothing.
    FillBlanks,
}

/// The rule of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Who may write it.
    pub ownership: Ownership,
    /// Whose value stays after a conflict.
    pub winner: Winner,
}

impl Rule {
    /// A field that both sides write.
    pub const fn both(winner: Winner) -> Self {
        Self {
            ownership: Ownership::Both,
            winner,
        }
    }
}

/// Our value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// The value; `None` is blank.
    pub value: Option<PersonalText>,
    /// When it last changed, by our clock.
    pub changed_at: Timestamp,
    /// Whether it is blank because somebody emptied it. Any other blank says nothing.
    pub is_cleared: bool,
}

/// Klaviyo's value of a field, as a complete read has found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theirs {
    /// The value; `None` is blank.
    pub value: Option<PersonalText>,
    /// The profile's `updated`, by Klaviyo's clock. Any attribute moves it: the field changed then or earlier.
    pub changed_by: Option<Timestamp>,
    /// When the last read that found the former value began, by our clock: the field changed later.
    pub unchanged_at: Option<Timestamp>,
}

/// What is to be done about a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: nobody has changed it, or it has to wait.
    Nothing,
    /// Both sides have this value: it is the base from now on.
    Agree(Option<PersonalText>),
    /// Their value becomes ours. It is never blank.
    Pull(PersonalText),
    /// Our value is written to Klaviyo; `None` empties theirs.
    Push(Option<PersonalText>),
}

/// Within how much two times count as equal. Klaviyo reads out whole seconds; a difference of the clocks is not known and is
/// not corrected: where it exceeds this, a conflict goes to the side whose clock is ahead, and both sides agree all the same.
pub const UNCERTAINTY: Duration = Duration::from_secs(2);

/// Decides about one field. What is in flight is waited for: a read may be older than it.
pub fn decide(
    shared: &Shared,
    ours: &Ours,
    theirs: &Theirs,
    rule: Rule,
    now: Timestamp,
) -> Decision {
    if shared.in_flight.is_some() {
        return Decision::Nothing;
    }
    if ours.value == theirs.value {
        let is_known = shared.base.as_ref() == Some(&ours.value);
        return if is_known {
            Decision::Nothing
        } else {
            Decision::Agree(ours.value.clone())
        };
    }
    let decision = match rule.ownership {
        Ownership::Klaviyo => pull(theirs),
        Ownership::Fanfare => push(ours),
        Ownership::FillBlanks => match (&ours.value, &theirs.value) {
            (None, Some(_)) if !ours.is_cleared => pull(theirs),
            (Some(_), None) if shared.base.is_none() => push(ours),
            _ => Decision::Nothing,
        },
        Ownership::Both => of_both(shared, ours, theirs, rule.winner, now),
    };
    match decision {
        Decision::Push(value) if shared.refused.as_ref() == Some(&value) => Decision::Nothing,
        decision => decision,
    }
}

fn of_both(
    shared: &Shared,
    ours: &Ours,
    theirs: &Theirs,
    winner: Winner,
    now: Timestamp,
) -> Decision {
    let Some(base) = &shared.base else {
        // The first contact: blanks are filled both ways.
        return match (&ours.value, &theirs.value) {
            (None, _) => pull(theirs),
            (_, None) => push(ours),
            _ => conflict(ours, theirs, winner, now),
        };
    };
    // A blank is a change only where somebody emptied the value on purpose, which Klaviyo does not tell.
    let ours_changed = ours.value != *base && (ours.value.is_some() || ours.is_cleared);
    let theirs_changed = theirs.value != *base && theirs.value.is_some();
    match (ours_changed, theirs_changed) {
        (true, true) => conflict(ours, theirs, winner, now),
        (true, false) => push(ours),
        // Theirs changed. Or theirs was emptied, which neither wipes ours nor is undone; or ours was lost and is filled again.
        (false, _) => pull(theirs),
    }
}

fn conflict(ours: &Ours, theirs: &Theirs, winner: Winner, now: Timestamp) -> Decision {
    let is_ours = match winner {
        Winner::Klaviyo => false,
        Winner::Fanfare => true,
        Winner::Latest => is_ours_later(ours, theirs, now),
    };
    if is_ours { push(ours) } else { pull(theirs) }
}

/// Whether our change is certainly the later one. Theirs was made between the last read with the former value and `updated`:
/// the end of that time counts, so that Klaviyo is favoured. Times to come count as now.
fn is_ours_later(ours: &Ours, theirs: &Theirs, now: Timestamp) -> bool {
    let ends = [theirs.changed_by, theirs.unchanged_at];
    let Some(theirs) = ends.into_iter().flatten().max() else {
        return false;
    };
    ours.changed_at.min(now) > theirs.min(now).plus(UNCERTAINTY)
}

fn pull(theirs: &Theirs) -> Decision {
    match &theirs.value {
        Some(value) => Decision::Pull(value.clone()),
        None => Decision::Nothing,
    }
}

fn push(ours: &Ours) -> Decision {
    if ours.value.is_some() || ours.is_cleared {
        Decision::Push(ours.value.clone())
    } else {
        Decision::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    fn text(value: &str) -> Option<PersonalText> {
        (value != "-").then(|| PersonalText::new(value))
    }

    /// Decides about values of which `-` is blank and `x` as the base says that there is none. Ours changed at 50 s,
    /// theirs at `theirs_at`.
    fn of(base: &str, ours: &str, theirs: &str, winner: Winner, theirs_at: i64) -> Decision {
        let shared = Shared {
            base: (base != "x").then(|| text(base)),
            ..Shared::default()
        };
        let ours = Ours {
            value: text(ours),
            changed_at: at(50),
            is_cleared: false,
        };
        let theirs = Theirs {
            value: text(theirs),
            changed_by: Some(at(theirs_at)),
            unchanged_at: None,
        };
        decide(&shared, &ours, &theirs, Rule::both(winner), at(100))
    }

    fn pulled(value: &str) -> Decision {
        Decision::Pull(PersonalText::new(value))
    }

    #[test]
    fn the_side_that_changed_is_followed_and_a_blank_wins_nothing() {
        let of = |base, ours, theirs| of(base, ours, theirs, Winner::Latest, 10);
        assert_eq!(of("a", "a", "a"), Decision::Nothing);
        assert_eq!(of("a", "a", "b"), pulled("b"));
        assert_eq!(of("a", "b", "a"), Decision::Push(text("b")));
        assert_eq!(of("a", "b", "b"), Decision::Agree(text("b")));
        assert_eq!(of("a", "a", "-"), Decision::Nothing);
        assert_eq!(of("a", "-", "a"), pulled("a"));
        assert_eq!(of("a", "b", "-"), Decision::Push(text("b")));
        assert_eq!(of("x", "-", "a"), pulled("a"));
        assert_eq!(of("x", "a", "-"), Decision::Push(text("a")));
        assert_eq!(of("x", "-", "-"), Decision::Agree(None));
    }

    #[test]
    fn a_conflict_is_decided_by_the_rule() {
        let ours = Decision::Push(text("o"));
        for base in ["a", "x"] {
            let of = |winner, theirs_at| of(base, "o", "t", winner, theirs_at);
            assert_eq!(of(Winner::Fanfare, 99), ours);
            assert_eq!(of(Winner::Klaviyo, 1), pulled("t"));
            assert_eq!(of(Winner::Latest, 47), ours);
            assert_eq!(
                of(Winner::Latest, 48),
                pulled("t"),
                "equal within the uncertainty"
            );
            assert_eq!(of(Winner::Latest, 70), pulled("t"));
        }
    }

    #[test]
    fn a_time_to_come_outranks_nothing_later() {
        let shared = Shared {
            base: Some(text("a")),
            ..Shared::default()
        };
        let ours = |second| Ours {
            value: text("o"),
            changed_at: at(second),
            is_cleared: false,
        };
        let theirs = Theirs {
            value: text("t"),
            changed_by: Some(at(90)),
            unchanged_at: Some(at(95)),
        };
        let of = |second| {
            decide(
                &shared,
                &ours(second),
                &theirs,
                Rule::both(Winner::Latest),
                at(100),
            )
        };
        assert_eq!(of(1_000), Decision::Push(text("o")), "counts as now");
        assert_eq!(of(96), pulled("t"), "theirs was still the former one at 95");
    }

    #[test]
    fn a_clearing_of_ours_is_a_change() {
        let shared = |base: &str| Shared {
            base: Some(text(base)),
            ..Shared::default()
        };
        let cleared = Ours {
            value: None,
            changed_at: at(50),
            is_cleared: true,
        };
        let theirs = |value: &str| Theirs {
            value: text(value),
            changed_by: Some(at(10)),
            unchanged_at: None,
        };
        let rule = Rule::both(Winner::Latest);
        let of = |value: &str| decide(&shared("a"), &cleared, &theirs(value), rule, at(100));
        assert_eq!(of("a"), Decision::Push(None));
        assert_eq!(of("b"), Decision::Push(None), "ours is later");
        assert_eq!(of("-"), Decision::Agree(None));
        let first = decide(&Shared::default(), &cleared, &theirs("a"), rule, at(100));
        assert_eq!(first, pulled("a"));
    }

    #[test]
    fn what_is_in_flight_is_waited_for() {
        let shared = Shared {
            base: Some(text("a")),
            in_flight: Some(text("b")),
            ..Shared::default()
        };
        let ours = Ours {
            value: text("c"),
            changed_at: at(60),
            is_cleared: false,
        };
        let of = |value: &str| {
            let theirs = Theirs {
                value: text(value),
                changed_by: Some(at(99)),
                unchanged_at: None,
            };
            decide(
                &shared,
                &ours,
                &theirs,
                Rule::both(Winner::Klaviyo),
                at(100),
            )
        };
        for found in ["a", "b", "z", "-"] {
            assert_eq!(of(found), Decision::Nothing);
        }
    }

    #[test]
    fn the_owner_of_a_field_writes_it_and_a_refused_value_is_not_sent_again() {
        let ours = Ours {
            value: text("o"),
            changed_at: at(60),
            is_cleared: false,
        };
        let of = |shared: &Shared, ownership, value: &str| {
            let theirs = Theirs {
                value: text(value),
                changed_by: Some(at(99)),
                unchanged_at: None,
            };
            let rule = Rule {
                ownership,
                winner: Winner::Latest,
            };
            decide(shared, &ours, &theirs, rule, at(100))
        };
        let new = Shared::default();
        assert_eq!(of(&new, Ownership::Klaviyo, "t"), pulled("t"));
        assert_eq!(of(&new, Ownership::Klaviyo, "-"), Decision::Nothing);
        assert_eq!(of(&new, Ownership::Fanfare, "t"), Decision::Push(text("o")));
        assert_eq!(of(&new, Ownership::FillBlanks, "t"), Decision::Nothing);
        assert_eq!(
            of(&new, Ownership::FillBlanks, "-"),
            Decision::Push(text("o"))
        );
        let refused = Shared {
            refused: Some(text("o")),
            ..Shared::default()
        };
        assert_eq!(of(&refused, Ownership::Fanfare, "t"), Decision::Nothing);
    }
}

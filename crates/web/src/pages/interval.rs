//! The choice between one import and a continuous sync, on every form that has it.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::components::field;
use crate::fields::Fields;
use crate::texts;

/// How often an audience syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interval {
    /// Once, and whenever somebody asks.
    OneTime,
    /// Every so many seconds.
    Every(u32),
}

/// The usual intervals to choose from, in seconds: from five minutes to a week.
const CHOICES: [u32; 8] = [300, 900, 1_800, 3_600, 21_600, 43_200, 86_400, 604_800];

/// The interval that is chosen unless somebody chooses another.
const USUAL: u32 = 900;

impl Interval {
    /// Reads the choice, or says what is wrong with it.
    pub(super) fn parse(fields: &Fields) -> Result<Self, String> {
        match fields.get("sync") {
            Some("CONTINUOUS") => {}
            Some("ONE_TIME") | None => return Ok(Self::OneTime),
            Some(_) => return Err("Choose One-time Import or Continuous Sync.".to_owned()),
        }
        let seconds = fields
            .text("refreshIntervalSeconds")
            .map_or(Ok(USUAL), str::parse);
        seconds
            .map(Self::Every)
            .map_err(|_| "Choose how often to refresh.".to_owned())
    }

    pub(super) const fn seconds(self) -> Option<u32> {
        match self {
            Self::OneTime => None,
            Self::Every(seconds) => Some(seconds),
        }
    }
}

/// The fields of an audience that syncs like this.
pub(super) fn fields(seconds: Option<u32>) -> Fields {
    let sync = if seconds.is_some() {
        "CONTINUOUS"
    } else {
        "ONE_TIME"
    };
    let fields = Fields::default().set("sync", Some(sync));
    match seconds {
        Some(seconds) => fields.set("refreshIntervalSeconds", Some(&seconds.to_string())),
        None => fields,
    }
}

/// The choice as a part of a form, with no interval shorter than the shortest one that there may be.
pub(super) fn choice(typed: &Fields, fault: Option<&str>, shortest: u32) -> Markup {
    let is_continuous = typed.get("sync") == Some("CONTINUOUS");
    let chosen = typed
        .text("refreshIntervalSeconds")
        .and_then(|text| text.parse().ok())
        .unwrap_or(USUAL);
    let usual = CHOICES.into_iter().filter(|seconds| *seconds >= shortest);
    let mut choices: BTreeSet<u32> = usual.collect();
    // Other programs may have set one that is not offered here.
    choices.extend([shortest, chosen]);
    let input = html! {
        select #refresh name="refreshIntervalSeconds" aria-invalid=[fault.map(|_| "true")] {
            @for seconds in choices {
                option value=(seconds) selected[seconds == chosen] { (texts::duration(u64::from(seconds))) }
            }
        }
    };
    html! {
        // With a script, the interval can be chosen for Continuous Sync alone.
        fieldset data-interval {
            legend { "Sync" }
            div { label.choice { input type="radio" name="sync" value="ONE_TIME" checked[!is_continuous]; "One-time Import" } p.hint { "Read now, and again only when somebody presses Sync now." } }
            div { label.choice { input type="radio" name="sync" value="CONTINUOUS" checked[is_continuous]; "Continuous Sync" } p.hint { "Read again by itself: joins, leavings and changes follow." } }
            (field("refresh", "Refresh every", "For Continuous Sync.", fault, &input))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_read_as_it_is_shown() {
        for seconds in [None, Some(900), Some(77)] {
            let read = Interval::parse(&fields(seconds)).map(Interval::seconds);
            assert_eq!(read, Ok(seconds));
        }
        let default = Fields::parse(b"sync=CONTINUOUS");
        assert_eq!(Interval::parse(&default), Ok(Interval::Every(900)));
        assert!(Interval::parse(&Fields::parse(b"sync=ALWAYS")).is_err());
        assert!(
            Interval::parse(&Fields::parse(
                b"sync=CONTINUOUS&refreshIntervalSeconds=often"
            ))
            .is_err()
        );
    }
}

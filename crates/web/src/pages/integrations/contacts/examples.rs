//! What contact settings do, shown by what they would make of one person's name. The rule itself decides.

use std::time::Duration;

use fanfare_domain::contact::{ContactSettings, Decision, Ours, Shared, Theirs, decide};
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::PersonalText;
use maud::{Markup, html};

use crate::components::{cell, heading, table};

/// The name that both sides have at first.
const BEFORE: &str = "Ann Lee";

/// What somebody does to it, in words; what Fanfare and Klaviyo have then; and by how many hours Klaviyo was changed later.
struct Example {
    what: &'static str,
    ours: Option<&'static str>,
    theirs: Option<&'static str>,
    hours_later: i32,
}

const EXAMPLES: [Example; 6] = [
    Example {
        what: "Changed in Fanfare",
        ours: Some("Ann Smith"),
        theirs: Some(BEFORE),
        hours_later: 0,
    },
    Example {
        what: "Changed in Klaviyo",
        ours: Some(BEFORE),
        theirs: Some("Ann Brown"),
        hours_later: 0,
    },
    Example {
        what: "Changed in both, in Fanfare last",
        ours: Some("Ann Smith"),
        theirs: Some("Ann Brown"),
        hours_later: -1,
    },
    Example {
        what: "Changed in both, in Klaviyo last",
        ours: Some("Ann Smith"),
        theirs: Some("Ann Brown"),
        hours_later: 1,
    },
    Example {
        what: "Emptied in Fanfare",
        ours: None,
        theirs: Some(BEFORE),
        hours_later: 0,
    },
    Example {
        what: "Emptied in Klaviyo",
        ours: Some(BEFORE),
        theirs: None,
        hours_later: 0,
    },
];

impl Example {
    /// What the settings make of it.
    fn decided(&self, settings: ContactSettings) -> Decision {
        let text = |text: &str| PersonalText::new(text);
        let shared = Shared {
            base: Some(Some(text(BEFORE))),
            ..Shared::default()
        };
        let at = |hour| Timestamp::EPOCH.plus(Duration::from_hours(hour));
        let ours = Ours {
            value: self.ours.map(text),
            changed_at: at(10),
            is_cleared: self.ours.is_none(),
        };
        let theirs = Theirs {
            value: self.theirs.map(text),
            changed_by: Some(at(10_u64.saturating_add_signed(self.hours_later.into()))),
            unchanged_at: Some(at(1)),
        };
        decide(&shared, &ours, &theirs, settings.rule(), at(20))
    }

    /// What Fanfare and Klaviyo have at the end.
    fn outcome(&self, settings: ContactSettings) -> (Option<String>, Option<String>) {
        let (ours, theirs) = (self.ours, self.theirs);
        let (mut ours, mut theirs) = (ours.map(str::to_owned), theirs.map(str::to_owned));
        let text = |value: &PersonalText| value.as_str().to_owned();
        match self.decided(settings) {
            Decision::Pull(value) => ours = Some(text(&value)),
            // What is switched off is not written.
            Decision::Push(value) if settings.enabled => theirs = value.as_ref().map(text),
            Decision::Push(_) | Decision::Nothing | Decision::Agree(_) => {}
        }
        (ours, theirs)
    }
}

/// The examples as a table, for these settings.
pub(super) fn panel(settings: ContactSettings) -> Markup {
    let headings = html! {
        (heading("What happens to Ann Lee"))
        (heading("Then in Fanfare"))
        (heading("Then in Klaviyo"))
    };
    let value = |value: Option<String>| {
        html! {
            @match value {
                Some(value) => (value),
                None => span.none { "Empty" },
            }
        }
    };
    let unknown = if settings.enabled && settings.create_profiles {
        html! { "A new profile, without any consent" }
    } else {
        html! { span.none { "No profile" } }
    };
    let rows = html! {
        @for example in &EXAMPLES {
            @let (ours, theirs) = example.outcome(settings);
            tr {
                th scope="row" { (example.what) }
                (cell("Then in Fanfare", &value(ours)))
                (cell("Then in Klaviyo", &value(theirs)))
            }
        }
        tr {
            th scope="row" { "Changed in Fanfare, unknown to Klaviyo" }
            (cell("Then in Fanfare", &html! { "Ann Smith" }))
            (cell("Then in Klaviyo", &unknown))
        }
    };
    html! {
        section.panel #examples {
            h2 { "What it does" }
            p.hint { "By the example of a name; a phone number is treated alike. Klaviyo's changes come with the syncs of your audiences." }
            (table("What the settings do", &headings, &rows))
        }
    }
}

#[cfg(test)]
mod tests {
    use fanfare_domain::contact::Winner;

    use super::*;

    /// What both sides have after each example.
    fn outcomes(enabled: bool, winner: Winner) -> Vec<String> {
        let settings = ContactSettings {
            enabled,
            winner,
            create_profiles: false,
        };
        let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        EXAMPLES
            .iter()
            .map(|example| {
                let (ours, theirs) = example.outcome(settings);
                format!("{}/{}", shown(ours), shown(theirs))
            })
            .collect()
    }

    #[test]
    fn the_examples_show_who_wins_and_that_nothing_is_written_while_it_is_off() {
        let of = |ours: &str, theirs: &str| format!("Ann {ours}/Ann {theirs}");
        let latest = outcomes(true, Winner::Latest);
        assert_eq!(latest[0], of("Smith", "Smith"));
        assert_eq!(latest[1], of("Brown", "Brown"));
        assert_eq!(latest[2], of("Smith", "Smith"));
        assert_eq!(latest[3], of("Brown", "Brown"));
        assert_eq!(latest[4], "-/-");
        assert_eq!(latest[5], "Ann Lee/-");
        assert_eq!(outcomes(true, Winner::Klaviyo)[2], of("Brown", "Brown"));
        assert_eq!(outcomes(true, Winner::Fanfare)[3], of("Smith", "Smith"));
        let off = outcomes(false, Winner::Fanfare);
        assert_eq!(off[0], of("Smith", "Lee"));
        assert_eq!(off[4], "-/Ann Lee");
    }
}

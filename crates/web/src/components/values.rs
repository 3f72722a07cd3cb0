//! Single values.

use fanfare_domain::time::Timestamp;
use maud::{Markup, html};

use crate::texts;

/// A time as it is from now, with the exact one in `<time>`.
pub(crate) fn time(at: Timestamp, now: Timestamp) -> Markup {
    html! {
        time datetime=(at) title=(texts::exact(at)) { (texts::relative(at, now)) }
    }
}

/// A time in UTC, which a script writes as the reader's clock shows it.
pub(crate) fn moment(at: Timestamp) -> Markup {
    html! { time.moment datetime=(at) { (texts::exact(at)) } }
}

/// A time that may not be there.
pub(crate) fn maybe_time(at: Option<Timestamp>, now: Timestamp) -> Markup {
    html! {
        @match at {
            Some(at) => (time(at, now)),
            None => span.none { "Never" },
        }
    }
}

/// A number, which a script writes as the reader's place does.
pub(crate) fn number(value: u64) -> Markup {
    html! { data value=(value) { (texts::number(value)) } }
}

/// A name of Klaviyo's or of a person's: in its own direction, cut where it is longer than a row, and whole in its title.
pub(crate) fn long_text(text: &str) -> Markup {
    const MOST: usize = 120;
    let cut = texts::cut(text, MOST);
    let title = (cut != text).then(|| texts::cut(text, 1_000));
    html! { bdi.text title=[title] { (cut) } }
}

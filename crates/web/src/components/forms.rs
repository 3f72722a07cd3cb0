//! Forms and their fields.

use maud::{Markup, html};

use crate::fields::Fields;
use crate::visitor::Visitor;

/// What shows that a form came from a page of the session.
pub(crate) fn csrf(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.form_token); }
}

/// A form that is one button.
pub(crate) fn button_form(
    visitor: &Visitor,
    action: &str,
    class: &str,
    name: &str,
    hidden: &[(&str, &str)],
) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            (csrf(visitor))
            @for (name, value) in hidden {
                input type="hidden" name=(name) value=(value);
            }
            button class=(class) type="submit" { (name) }
        }
    }
}

/// A field with its label, a hint and what is wrong with it.
pub(crate) fn field(
    id: &str,
    label: &str,
    hint: &str,
    fault: Option<&str>,
    input: &Markup,
) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            (input)
            @if !hint.is_empty() {
                p.hint id={ (id) "-hint" } { (hint) }
            }
            @if let Some(fault) = fault {
                p.fault id={ (id) "-fault" } role="alert" { (fault) }
            }
        }
    }
}

/// A field of one line of text, named by its id.
pub(crate) fn text_field(
    id: &str,
    label: &str,
    value: &str,
    hint: &str,
    fault: Option<&str>,
) -> Markup {
    let described = match (hint.is_empty(), fault.is_some()) {
        (_, true) => Some(format!("{id}-fault")),
        (false, false) => Some(format!("{id}-hint")),
        (true, false) => None,
    };
    let input = html! {
        input #(id) name=(id) type="text" value=(value) autocomplete="off" dir="auto"
            aria-describedby=[described] aria-invalid=[fault.map(|_| "true")];
    };
    field(id, label, hint, fault, &input)
}

/// A time as a browser's field takes it: without a zone and parts of a second.
pub(crate) fn browser_value(time: &str) -> &str {
    let time = time.trim_end_matches('Z');
    time.split_once('.').map_or(time, |(whole, _)| whole)
}

/// A field for a moment, in UTC; with a script, in the time of the browser's zone.
pub(crate) fn moment_field(id: &str, label: &str, value: &str) -> Markup {
    let value = browser_value(value);
    html! {
        div.field {
            label for=(id) { (label) }
            input #(id) name=(id) type="datetime-local" step="1" data-utc value=(value);
        }
    }
}

/// That what was typed is too short to be searched for.
pub(crate) fn short_search(fields: &Fields) -> Markup {
    html! {
        @if !fields.typed_search().is_empty() && fields.search().is_none() {
            p.hint role="status" { "Type at least two characters to search." }
        }
    }
}

/// The search field above a table. A script looks while somebody types and swaps `target`; without one the form is sent.
pub(crate) fn search_field(action: &str, fields: &Fields, hint: &str, target: &str) -> Markup {
    let kept = fields
        .iter()
        .filter(|(name, _)| !["search", "after", "notice"].contains(name));
    html! {
        form.search role="search" method="get" action=(action)
            hx-get=(action) hx-target=(target) hx-swap="outerHTML" hx-push-url="true"
            hx-trigger="submit, input changed delay:300ms from:#search" {
            label for="search" { "Search" }
            input #search name="search" type="search" value=(fields.typed_search()) placeholder=(hint)
                autocomplete="off" dir="auto" maxlength="200";
            @for (name, value) in kept {
                input type="hidden" name=(name) value=(value);
            }
            button.quiet type="submit" { "Find" }
        }
    }
}

//! Forms and their fields.

use maud::{Markup, html};

use crate::fields::Fields;
use crate::visitor::Visitor;

/// What shows that a form came from a page of the session.
pub(crate) fn csrf(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.session.csrf); }
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

/// A field for a moment, in UTC.
pub(crate) fn moment_field(id: &str, label: &str, value: &str) -> Markup {
    // A browser's field takes no zone, and no parts of a second.
    let value = value.trim_end_matches('Z');
    let value = value.split_once('.').map_or(value, |(whole, _)| whole);
    html! {
        div.field {
            label for=(id) { (label) }
            input #(id) name=(id) type="datetime-local" step="1" value=(value);
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

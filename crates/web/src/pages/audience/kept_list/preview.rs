//! What a push would do, and the button that lets it.

use fanfare_domain::organization::Role;
use fanfare_domain::push::KeptList;
use fanfare_domain::writing::{Flow, FlowStatus};
use fanfare_sync::PushPreview;
use maud::{Markup, html};

use super::{address, why_confirm};
use crate::components::{badge, button_form, cell, heading, long_text, notice, number, table};
use crate::texts;
use crate::visitor::Visitor;

/// The preview with its confirmation.
pub(super) fn panel(visitor: &Visitor, kept: &KeptList, shown: &PushPreview) -> Markup {
    let preview = &shown.confirmation.preview;
    let list = kept.name.as_deref().unwrap_or(kept.list.as_str());
    let counts = [
        ("Added", preview.adds),
        ("Of them suppressed: not mailed", preview.suppressed),
        ("Of them new to Klaviyo", preview.new_profiles),
        ("Removed", preview.removes),
        ("Unknown to Klaviyo", preview.unknown),
    ];
    let button = format!(
        "Push: add {}, remove {}",
        texts::number(preview.adds),
        texts::number(preview.removes)
    );
    let push = format!("{}/push", address(&kept.audience));
    html! {
        section.panel #preview {
            h2 { "What a push into " (long_text(list)) " would do" }
            dl.facts {
                @for (name, count) in counts {
                    div { dt { (name) } dd { (number(count)) } }
                }
            }
            @if !shown.is_exact {
                p.hint { "The list is long: these are the most that it can be. Whoever is in the list already is not added." }
            }
            @if preview.new_profiles > 0 {
                p.hint { "Klaviyo gets a profile of whom it does not know, as the contact settings say. No consent is given." }
            }
            @if preview.unknown > 0 {
                p.hint { "People whom Klaviyo does not know are left out, unless the contact settings make profiles of them." }
            }
            @if let Some(why) = shown.must_confirm {
                (notice("warn", &html! { (why_confirm(why)) }))
            }
            (flows(preview.flows.as_deref()))
            @if visitor.may(Role::Editor) {
                p {
                    (button_form(visitor, &push, "", &button, &[("confirmation", &shown.confirmation.text)]))
                }
                p.hint { "Good for 15 minutes. From then on changes of the audience follow by themselves." }
            } @else {
                p { "An editor of your organization can push it." }
            }
        }
    }
}

/// The flows that start when somebody joins the list.
fn flows(flows: Option<&[Flow]>) -> Markup {
    let Some(flows) = flows else {
        return html! {};
    };
    if flows.is_empty() {
        return html! { p { "No flow starts when somebody joins the list." } };
    }
    let headings =
        html! { (heading("Flow")) (heading("Status")) (heading("Starts by")) (heading("Mails")) };
    let rows = html! {
        @for flow in flows {
            tr {
                th scope="row" { (long_text(flow.name.as_deref().unwrap_or(&flow.id))) }
                (cell("Status", &status(&flow.status)))
                (cell("Starts by", &html! { (flow.trigger_type.as_deref().unwrap_or("Not told")) }))
                (cell("Mails", &html! { @if flow.may_mail() { strong { "Yes, by itself" } } @else { "No" } }))
            }
        }
    };
    html! {
        h3 { "Flows that start when somebody joins the list" }
        (table("Flows of the list", &headings, &rows))
    }
}

fn status(status: &FlowStatus) -> Markup {
    match status {
        FlowStatus::Live => badge("bad", "Live"),
        FlowStatus::Manual => badge("none", "Manual"),
        FlowStatus::Draft => badge("none", "Draft"),
        FlowStatus::Other(word) => badge("waiting", &texts::cut(word, 40)),
    }
}

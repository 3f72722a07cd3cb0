//! `/app/settings/integrations/klaviyo/contacts`: whether names and phone numbers that change in Fanfare change in Klaviyo.

mod examples;

use actix_web::HttpResponse;
use actix_web::web::Data;
use fanfare_domain::contact::{ContactSettings, ContactSettingsUpdate, Winner};
use fanfare_domain::organization::Role;
use fanfare_sync::{ConnectionView, Error, Integration};
use maud::{Markup, html};

use crate::components::{badge, csrf, notice};
use crate::error::{PageError, Told};
use crate::fields::{Fields, Form, Query};
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Editor "/app/settings/integrations/klaviyo/contacts", show),
        page!(POST Admin "/app/settings/integrations/klaviyo/contacts", save),
    ]
}

pub(super) const PATH: &str = "/app/settings/integrations/klaviyo/contacts";

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let settings = application.settings(visitor.organization()).await?;
    let body = html! {
        @if query.0.get("notice") == Some("saved") {
            (notice("good", &html! { "The settings were saved. They are for changes from now on." }))
        }
        (form(&visitor, settings.contacts, None))
        (examples::panel(settings.contacts))
    };
    Ok(answer(
        &visitor,
        settings.contacts,
        settings.connection.as_ref(),
        &body,
    ))
}

async fn save(
    application: Data<Integration>,
    visitor: Visitor,
    form_of: Form,
) -> Result<HttpResponse, PageError> {
    let organization = visitor.organization();
    let update = typed(&form_of.0);
    let settings = application.settings(organization).await?;
    let chosen = settings.contacts.merged(update);
    let connection = settings.connection.as_ref();
    if form_of.0.get("act") == Some("preview") {
        let body = html! {
            (notice("info", &html! { strong { "Not saved yet. " } "Below is what it would do." }))
            (form(&visitor, chosen, None))
            (examples::panel(chosen))
        };
        return Ok(answer(&visitor, settings.contacts, connection, &body));
    }
    let is_switched_on = chosen.enabled && !settings.contacts.enabled;
    if is_switched_on && !form_of.0.has("confirmed") {
        return Ok(ask(&visitor, chosen));
    }
    match application.update_contacts(organization, update).await {
        Ok(_) => Ok(see(&format!("{PATH}?notice=saved"))),
        // What the visitor can mend is told beside what they have chosen, which stays.
        Err(
            error @ (Error::KeyRejected
            | Error::ScopeMissing(_)
            | Error::KlaviyoUnreachable(_)
            | Error::KlaviyoThrottled(_)),
        ) => {
            let told = PageError::from(error).told();
            let body = form(&visitor, chosen, Some(&told));
            let mut answer = answer(&visitor, settings.contacts, connection, &body);
            *answer.status_mut() = told.status;
            Ok(answer)
        }
        Err(error) => Err(error.into()),
    }
}

/// What switching it on does, before it is done.
fn ask(visitor: &Visitor, chosen: ContactSettings) -> HttpResponse {
    let body = html! {
        div.head { h1 { "Switch contacts on?" } }
        section.panel {
            p {
                "From then on a name or a phone number that changes in Fanfare changes in Klaviyo, too. Nothing is sent now: what was changed \
                 before stays as it is on both sides."
            }
            p { "Nobody is subscribed by it, and no e-mail address is changed. You can switch it off again at any time." }
            @if chosen.create_profiles {
                p { strong { "Klaviyo gets profiles of people whom it does not know." } " It bills by profiles, and flows may start on new ones." }
            }
            div.actions {
                form.inline method="post" action=(PATH) {
                    (csrf(visitor))
                    input type="hidden" name="confirmed" value="true";
                    input type="hidden" name="enabled" value="true";
                    input type="hidden" name="winner" value=(chosen.winner);
                    @if chosen.create_profiles { input type="hidden" name="createProfiles" value="true"; }
                    button type="submit" { "Yes, switch contacts on" }
                }
                a.button.quiet href=(PATH) { "Keep them off" }
            }
        }
        (examples::panel(chosen))
    };
    visitor.page("Switch contacts on", Section::Settings, &body)
}

/// What a form has chosen. A box that is not ticked is not sent.
fn typed(fields: &Fields) -> ContactSettingsUpdate {
    ContactSettingsUpdate {
        enabled: Some(fields.has("enabled")),
        winner: fields.get("winner").and_then(Winner::parse),
        create_profiles: Some(fields.has("createProfiles")),
    }
}

fn answer(
    visitor: &Visitor,
    settings: ContactSettings,
    connection: Option<&ConnectionView>,
    body: &Markup,
) -> HttpResponse {
    let body = html! {
        div.head {
            h1 { "Contacts to Klaviyo" }
            @if settings.enabled { (badge("good", "On")) } @else { (badge("none", "Off")) }
            div.actions {
                a.button.quiet href="/app/deliveries?kind=CONTACT" { "Deliveries" }
                a.button.quiet href={ (super::PATH) "?sheet=klaviyo" } { "Back to Klaviyo" }
            }
        }
        @if connection.is_none() {
            (notice("warn", &html! {
                strong { "Klaviyo is not connected. " }
                a href={ (super::PATH) "?sheet=klaviyo" } { "Connect Klaviyo" }
            }))
        }
        (body)
    };
    visitor.page("Contacts to Klaviyo", Section::Settings, &body)
}

const WINNERS: [(Winner, &str, &str); 3] = [
    (
        Winner::Latest,
        "The later change",
        "As far as that can be told: Klaviyo says only when a profile last changed at all.",
    ),
    (
        Winner::Klaviyo,
        "Klaviyo",
        "What was typed in Fanfare gives way.",
    ),
    (
        Winner::Fanfare,
        "Fanfare",
        "What was changed in Klaviyo is overwritten.",
    ),
];

fn form(visitor: &Visitor, chosen: ContactSettings, told: Option<&Told<'_>>) -> Markup {
    let may_change = visitor.may(Role::Admin);
    html! {
        @if let Some(told) = told {
            (notice("bad", &html! { strong { (told.heading) ". " } (told.text) " Nothing was changed. "
                @if told.way_out.1 == super::PATH { a href={ (super::PATH) "?sheet=klaviyo&update=1" } { "Save a new key" } }
            }))
        }
        form.panel method="post" action=(PATH) {
            (csrf(visitor))
            fieldset disabled[!may_change] {
                legend { "Sending" }
                label.choice {
                    input type="checkbox" name="enabled" value="true" checked[chosen.enabled];
                    "Send changes of names and phone numbers to Klaviyo"
                }
                p.hint {
                    "A name or a phone number that somebody changes in Fanfare from then on is changed in Klaviyo, by itself. What was changed before is \
                     not sent. An e-mail is never sent: it says whom Klaviyo mails. Switched off, what both sides last agreed on is forgotten."
                }
            }
            fieldset disabled[!may_change] {
                legend { "Who wins where both sides have changed it" }
                @for (winner, name, hint) in WINNERS {
                    div {
                        label.choice {
                            input type="radio" name="winner" value=(winner) checked[chosen.winner == winner];
                            (name)
                        }
                        p.hint { (hint) }
                    }
                }
            }
            fieldset disabled[!may_change] {
                legend { "People whom Klaviyo does not know" }
                label.choice {
                    input type="checkbox" name="createProfiles" value="true" checked[chosen.create_profiles];
                    "Make profiles of them in Klaviyo"
                }
                p.hint {
                    "Klaviyo bills by profiles, and flows may start on new ones. A profile gets no consent by it: nobody is subscribed."
                }
            }
            @if may_change {
                div.actions {
                    button type="submit" { "Save" }
                    button.quiet type="submit" name="act" value="preview" { "Preview" }
                }
            } @else {
                p.hint { "An admin of your organization can change this." }
            }
        }
    }
}

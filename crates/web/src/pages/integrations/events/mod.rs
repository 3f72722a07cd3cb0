//! `/app/settings/integrations/klaviyo/events`: which of Fanfare's events Klaviyo is told of, and how they come here.

mod mapping;
mod preview;
mod webhook;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use fanfare_domain::events::EventSettingsUpdate;
use fanfare_domain::organization::Role;
use fanfare_sync::{ConnectionView, Integration, Settings};
use maud::{Markup, html};

use self::mapping::Typed;
use self::preview::Preview;
use self::webhook::Secret;
use crate::components::{badge, button_form, notice};
use crate::error::PageError;
use crate::fields::{Fields, Form, Query};
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Editor "/app/settings/integrations/klaviyo/events", show),
        page!(POST Admin "/app/settings/integrations/klaviyo/events", save),
        page!(POST Admin "/app/settings/integrations/klaviyo/events/switch", switch),
        page!(POST Admin "/app/settings/integrations/klaviyo/events/secret", make_secret),
    ]
}

pub(super) const PATH: &str = "/app/settings/integrations/klaviyo/events";

/// The scope by which events are sent.
const SCOPE: &str = "events:write";

async fn show(
    request: HttpRequest,
    application: Data<Integration>,
    visitor: Visitor,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let organization = visitor.organization();
    let settings = application.settings(organization).await?;
    let typed = Typed::stored(&settings.events);
    let secret = Secret::load(&application, &visitor, &request).await?;
    let preview = Preview::read(&application, &visitor, &query.0).await?;
    Ok(answer(
        &visitor, &query.0, &settings, &typed, &secret, &preview,
    ))
}

async fn save(
    request: HttpRequest,
    application: Data<Integration>,
    visitor: Visitor,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let organization = visitor.organization();
    let settings = application.settings(organization).await?;
    let mut typed = Typed::read(&form.0);
    let reset = form.0.get("reset");
    match typed.changes(&settings.events) {
        Ok(metrics) if reset.is_none() => {
            let update = EventSettingsUpdate {
                enabled: None,
                metrics,
            };
            application.update_events(organization, update).await?;
            Ok(see(&format!("{PATH}?notice=saved")))
        }
        checked => {
            // What was typed stays in its fields, also beside one that has its default again.
            let status = match reset {
                Some(of) => {
                    typed.reset(of);
                    StatusCode::OK
                }
                None => StatusCode::BAD_REQUEST,
            };
            drop(checked);
            let secret = Secret::load(&application, &visitor, &request).await?;
            let fields = Fields::default();
            let preview = Preview::default();
            let mut answer = answer(&visitor, &fields, &settings, &typed, &secret, &preview);
            *answer.status_mut() = status;
            Ok(answer)
        }
    }
}

async fn switch(
    application: Data<Integration>,
    visitor: Visitor,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let is_on = form.0.get("enabled") == Some("true");
    let update = EventSettingsUpdate {
        enabled: Some(is_on),
        ..EventSettingsUpdate::default()
    };
    application
        .update_events(visitor.organization(), update)
        .await?;
    let said = if is_on { "on" } else { "off" };
    Ok(see(&format!("{PATH}?notice={said}")))
}

/// Makes a secret of webhooks. It is shown in this answer, and in none after it.
async fn make_secret(
    request: HttpRequest,
    application: Data<Integration>,
    visitor: Visitor,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let organization = visitor.organization();
    let made = application
        .replace_webhook_secret(organization, form.0.text("seen"))
        .await?;
    let Some(made) = made else {
        return Ok(see(&format!("{PATH}?notice=secret-changed")));
    };
    let settings = application.settings(organization).await?;
    let mut secret = Secret::load(&application, &visitor, &request).await?;
    secret.made = Some(made);
    let typed = Typed::stored(&settings.events);
    let (fields, preview) = (Fields::default(), Preview::default());
    Ok(answer(
        &visitor, &fields, &settings, &typed, &secret, &preview,
    ))
}

fn answer(
    visitor: &Visitor,
    fields: &Fields,
    settings: &Settings,
    typed: &Typed,
    secret: &Secret,
    preview: &Preview,
) -> HttpResponse {
    let body = html! {
        div.head {
            h1 { "Events to Klaviyo" }
            @if settings.events.enabled { (badge("good", "On")) } @else { (badge("none", "Off")) }
            div.actions {
                a.button.quiet href="/app/deliveries" { "Deliveries" }
                a.button.quiet href={ (super::PATH) "?sheet=klaviyo" } { "Back to Klaviyo" }
            }
        }
        @if let Some((kind, text)) = said(fields) {
            (notice(kind, &html! { (text) }))
        }
        (troubles(settings.connection.as_ref()))
        // A secret that is shown this once comes first.
        @if secret.made.is_some() { (secret.panel(visitor)) }
        (on_and_off(visitor, settings.events.enabled))
        (mapping::panel(visitor, typed))
        (preview.panel(PATH))
        @if secret.made.is_none() { (secret.panel(visitor)) }
    };
    visitor.page("Events to Klaviyo", Section::Settings, &body)
}

/// What was done, after a form.
fn said(fields: &Fields) -> Option<(&'static str, &'static str)> {
    Some(match fields.get("notice")? {
        "saved" => (
            "good",
            "The metrics were saved. They are for events that come from now on.",
        ),
        "on" => (
            "good",
            "Events are switched on. What happens in Fanfare from now on is sent.",
        ),
        "off" => (
            "good",
            "Events are switched off. What was accepted before is still sent.",
        ),
        "secret-changed" => (
            "warn",
            "A secret was made meanwhile, perhaps by a second click, and this one was not. If you have not kept the new secret, \
             make another.",
        ),
        _ => return None,
    })
}

/// What keeps events from Klaviyo, with what to do.
fn troubles(connection: Option<&ConnectionView>) -> Markup {
    let Some(connection) = connection else {
        return notice(
            "warn",
            &html! {
                strong { "Klaviyo is not connected. " }
                "Events wait until it is. "
                a href={ (super::PATH) "?sheet=klaviyo" } { "Connect Klaviyo" }
            },
        );
    };
    let scopes = connection.missing_scopes.iter();
    let lacks: Vec<String> = scopes.filter(|scope| *scope == SCOPE).cloned().collect();
    html! {
        @if !lacks.is_empty() {
            (notice("bad", &html! {
                strong { "The API key may not send events. " }
                (texts::missing_scopes(&lacks)) " "
                a href={ (super::PATH) "?sheet=klaviyo&update=1" } { "Save a new key" }
            }))
        }
    }
}

fn on_and_off(visitor: &Visitor, is_on: bool) -> Markup {
    let switch = format!("{PATH}/switch");
    html! {
        section.panel {
            h2 { "Sending" }
            @if is_on {
                p { "Klaviyo is told within a second when something of the table below happens to somebody. Flows that hang on these metrics start." }
            } @else {
                p {
                    "Nothing is sent. When you switch it on, Klaviyo is told of what happens from then on, and flows that hang on \
                     these metrics mail people. Look through the table below before."
                }
            }
            p.hint {
                "An event subscribes nobody. Tokens, codes and secrets are never sent. What took place more than 24 hours before it \
                 came is stored as history and starts no flow."
            }
            @if !visitor.may(Role::Admin) {
                p.hint { "An admin of your organization can switch it." }
            } @else if is_on {
                (button_form(visitor, &switch, "danger", "Switch events off", &[("enabled", "false")]))
            } @else {
                (button_form(visitor, &switch, "", "Switch events on", &[("enabled", "true")]))
            }
        }
    }
}

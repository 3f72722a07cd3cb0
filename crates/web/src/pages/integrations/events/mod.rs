//! `/app/settings/integrations/klaviyo/events`: which of Fanfare's events Klaviyo is told of, and how they come here.

mod mapping;
mod preview;
mod switching;
mod webhook;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use fanfare_domain::events::EventSettingsUpdate;
use fanfare_domain::ids::OrganizationId;
use fanfare_sync::{Integration, Settings};
use maud::{Markup, html};

use self::mapping::Typed;
use self::preview::Preview;
use self::webhook::Secret;
use crate::Dashboard;
use crate::components::{badge, notice};
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
        page!(GET Admin "/app/settings/integrations/klaviyo/events/switch", switching::ask),
        page!(POST Admin "/app/settings/integrations/klaviyo/events/switch", switching::switch),
        page!(POST Admin "/app/settings/integrations/klaviyo/events/secret", make_secret),
    ]
}

pub(super) const PATH: &str = "/app/settings/integrations/klaviyo/events";

/// The scope by which events are sent.
const SCOPE: &str = "events:write";

/// What is switched on, and what a key needs for it.
struct Standing {
    settings: Settings,
    /// The scopes of all that is switched on.
    in_use: Vec<String>,
}

impl Standing {
    async fn load(
        application: &Integration,
        organization: &OrganizationId,
    ) -> Result<Self, PageError> {
        Ok(Self {
            settings: application.settings(organization).await?,
            in_use: application.scopes_in_use(organization).await?,
        })
    }
}

async fn show(
    request: HttpRequest,
    application: Data<Integration>,
    visitor: Visitor,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let organization = visitor.organization();
    let standing = Standing::load(&application, organization).await?;
    let typed = Typed::stored(&standing.settings.events);
    let secret = Secret::load(&application, &visitor, &request).await?;
    let preview = Preview::read(&application, &visitor, &query.0).await?;
    Ok(answer(
        &visitor, &query.0, &standing, &typed, &secret, &preview,
    ))
}

async fn save(
    request: HttpRequest,
    application: Data<Integration>,
    visitor: Visitor,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let organization = visitor.organization();
    let standing = Standing::load(&application, organization).await?;
    let mut typed = Typed::read(&form.0);
    let reset = form.0.get("reset");
    match typed.changes(&standing.settings.events) {
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
            let mut answer = answer(&visitor, &fields, &standing, &typed, &secret, &preview);
            *answer.status_mut() = status;
            Ok(answer)
        }
    }
}

/// Makes a secret of webhooks. It is shown in this answer, in that to a second click of the same button, and in none after it.
async fn make_secret(
    request: HttpRequest,
    application: Data<Integration>,
    dashboard: Data<Dashboard>,
    visitor: Visitor,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let organization = visitor.organization();
    let seen = form.0.text("seen");
    let made = application
        .replace_webhook_secret(organization, seen)
        .await?;
    let key = visitor.caller.key.clone();
    let maker = (organization.clone(), key, seen.map(str::to_owned));
    if let Some(made) = &made {
        dashboard
            .made_secrets
            .keep(maker.clone(), made, visitor.now);
    }
    let made = made.or_else(|| dashboard.made_secrets.of(&maker, visitor.now));
    let Some(made) = made else {
        return Ok(see(&format!("{PATH}?notice=secret-changed")));
    };
    let standing = Standing::load(&application, organization).await?;
    let mut secret = Secret::load(&application, &visitor, &request).await?;
    secret.made = Some(made);
    let typed = Typed::stored(&standing.settings.events);
    let (fields, preview) = (Fields::default(), Preview::default());
    Ok(answer(
        &visitor, &fields, &standing, &typed, &secret, &preview,
    ))
}

fn answer(
    visitor: &Visitor,
    fields: &Fields,
    standing: &Standing,
    typed: &Typed,
    secret: &Secret,
    preview: &Preview,
) -> HttpResponse {
    let settings = &standing.settings;
    let body = html! {
        div.head {
            h1 { "Events to Klaviyo" }
            @if settings.events.enabled && secret.is_made() {
                (badge("good", "On"))
            } @else if settings.events.enabled {
                (badge("waiting", "On, but no event can come yet"))
            } @else { (badge("none", "Off")) }
            div.actions {
                a.button.quiet href="/app/deliveries" { "Deliveries" }
                a.button.quiet href={ (super::PATH) "?sheet=klaviyo" } { "Back to Klaviyo" }
            }
        }
        @if let Some((kind, text)) = said(fields) {
            (notice(kind, &html! { (text) }))
        }
        (troubles(standing))
        (steps(settings, secret))
        // A secret that is shown this once comes first.
        @if secret.made.is_some() { (secret.panel(visitor)) }
        (switching::panel(visitor, settings.events.enabled))
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
            "A secret was made meanwhile, perhaps by somebody else, and this one was not. If nobody has kept the new secret, \
             make another.",
        ),
        _ => return None,
    })
}

/// What is to be done until events reach Klaviyo, and what is done.
fn steps(settings: &Settings, secret: &Secret) -> Markup {
    let done = |is_done: bool| {
        if is_done {
            badge("good", "Done")
        } else {
            badge("waiting", "To do")
        }
    };
    html! {
        section.panel {
            h2 { "How it is set up" }
            ol.steps {
                li { (done(secret.is_made())) " " a href="#webhook" { "Make a secret" } "." }
                li {
                    (done(secret.has_events)) " Enter the " a href="#webhook" { "address and the secret" }
                    " in your Fanfare dashboard's webhook settings."
                }
                li {
                    (done(settings.events.enabled)) " Look through the " a href="#metrics" { "metrics" } ", and "
                    a href="#sending" { "switch events on" } "."
                }
            }
            @if !secret.has_events {
                p { "No event has arrived yet. When the first one has, it is among the " a href="/app/deliveries" { "deliveries" } "." }
            }
        }
    }
}

/// What keeps events from Klaviyo, with what to do.
fn troubles(standing: &Standing) -> Markup {
    let Some(connection) = &standing.settings.connection else {
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
                (texts::missing_scopes(&lacks, &standing.in_use)) " "
                a href={ (super::PATH) "?sheet=klaviyo&update=1" } { "Save a new key" }
            }))
        }
    }
}

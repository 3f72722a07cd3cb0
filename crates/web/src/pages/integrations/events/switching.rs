//! Switching events on and off. Switching on asks first, because flows mail people.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::web::Data;
use fanfare_domain::events::{EventSettings, EventSettingsUpdate};
use fanfare_domain::organization::Role;
use fanfare_sync::Integration;
use maud::{Markup, html};

use super::{PATH, Standing, troubles};
use crate::components::{button_form, long_text, notice};
use crate::error::PageError;
use crate::fields::Form;
use crate::layout::Section;
use crate::visitor::{Visitor, see};

/// What switching events on does, before it is done: flows that hang on their metrics mail people.
pub(super) async fn ask(
    application: Data<Integration>,
    visitor: Visitor,
) -> Result<HttpResponse, PageError> {
    let organization = visitor.organization();
    let standing = Standing::load(&application, organization).await?;
    let has_secret = application.webhook_secret(organization).await?.is_some();
    let body = html! {
        div.head { h1 { "Switch events on?" } }
        (troubles(&standing))
        @if !has_secret {
            (notice("warn", &html! {
                strong { "No event can come yet: no secret was made. " }
                "You can switch events on before, but nothing is sent until the webhooks are set up. "
                a href={ (PATH) "#webhook" } { "Make a secret" }
            }))
        }
        section.panel {
            p { "Klaviyo is told of what happens in Fanfare from then on: nothing of before is sent." }
            p { "Flows in Klaviyo that start on one of these metrics mail the people whom it happens to:" }
            ul {
                @for metric in metrics(&standing.settings.events) { li { (long_text(&metric)) } }
            }
            p { "In Klaviyo, look under Flows at those that are live. You can switch events off again at any time." }
            div.actions {
                (button_form(&visitor, &format!("{PATH}/switch"), "", "Yes, switch events on", &[("enabled", "true")]))
                a.button.quiet href=(PATH) { "Keep them off" }
            }
        }
    };
    Ok(visitor.page("Switch events on", Section::Settings, &body))
}

/// The metrics that are in force, each once.
fn metrics(settings: &EventSettings) -> BTreeSet<String> {
    let in_force = settings.in_force().into_iter();
    in_force
        .filter_map(|(_, metric)| metric.map(String::from))
        .collect()
}

pub(super) async fn switch(
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

/// Whether events are sent, with the way to change that.
pub(super) fn panel(visitor: &Visitor, is_on: bool) -> Markup {
    let switch = format!("{PATH}/switch");
    html! {
        section.panel #sending {
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
                form.inline method="get" action=(switch) { button type="submit" { "Switch events on" } }
            }
        }
    }
}

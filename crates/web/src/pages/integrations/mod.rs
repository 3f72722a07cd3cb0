//! `/app/settings/integrations`: what is connected, and what can be.

mod actions;
mod contacts;
mod events;
mod quota;
mod sheet;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use fanfare_domain::audience::Audience;
use fanfare_domain::connection::ConnectionStatus;
use fanfare_sync::{ConnectionView, Integration};
use maud::{Markup, html};

use crate::components::{badge, long_text, notice};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::{Visitor, see};

use sheet::{Sheet, Switched};

/// The routes of these files.
pub(super) fn routes() -> Vec<PageRoute> {
    let mut routes = vec![
        page!(GET Editor "/app/settings", settings),
        page!(GET Editor "/app/settings/integrations", show),
    ];
    routes.extend(actions::routes());
    routes.extend(events::routes());
    routes.extend(contacts::routes());
    routes
}

const PATH: &str = "/app/settings/integrations";

/// The most audiences that are named in a message.
const MOST_NAMED: usize = 20;

async fn settings() -> HttpResponse {
    see(PATH)
}

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let Query(fields) = query;
    let sheet = (fields.get("sheet") == Some("klaviyo")).then(|| Sheet {
        is_updating: fields.has("update"),
        ..Sheet::default()
    });
    answer(&application, &visitor, &fields, sheet, StatusCode::OK).await
}

/// The page, perhaps with its sheet.
async fn answer(
    application: &Integration,
    visitor: &Visitor,
    fields: &Fields,
    sheet: Option<Sheet>,
    status: StatusCode,
) -> Result<HttpResponse, PageError> {
    let organization = visitor.organization();
    let settings = application.settings(organization).await?;
    let switched = Switched {
        events: settings.events.enabled,
        contacts: settings.contacts.enabled,
    };
    let in_use = application.scopes_in_use(organization).await?;
    let connection = settings.connection;
    // After Klaviyo was connected again, which does not bring schedules back.
    let ended = match (fields.get("notice"), &connection) {
        (Some("connected"), Some(_)) => application.ended_schedules(organization).await?,
        _ => Vec::new(),
    };
    let quota = match &connection {
        Some(_) => Some(application.klaviyo_quota(organization).await?),
        None => None,
    };
    let body = html! {
        div.head { h1 { "Integrations" } }
        @if let Some(text) = said(fields) {
            (notice("good", &html! {
                (text)
                @if fields.get("notice") == Some("connected") {
                    " " a href="/app/audiences/import/klaviyo" { "Import lists and segments" }
                }
            }))
        }
        (stopped(&ended))
        @if let Some(connection) = &connection {
            (troubles(connection, &in_use))
        }
        ul.cards {
            (klaviyo(connection.as_ref()))
            (other("Shopify", "E-commerce", "Via App"))
            @for (name, category) in COMING {
                (other(name, category, "Coming Soon"))
            }
        }
        @if let Some(quota) = &quota {
            (quota::glance(visitor, quota))
        }
        @if let Some(sheet) = &sheet {
            (sheet.markup(visitor, connection.as_ref(), switched))
        }
    };
    let mut answer = visitor.page("Integrations", Section::Settings, &body);
    *answer.status_mut() = status;
    Ok(answer)
}

const COMING: [(&str, &str); 4] = [
    ("Mailchimp", "Marketing"),
    ("Segment", "CDP"),
    ("HubSpot", "CRM"),
    ("Salesforce", "CRM"),
];

fn klaviyo(connection: Option<&ConnectionView>) -> Markup {
    html! {
        li.card {
            h2 { "Klaviyo" }
            p.hint { "Marketing" }
            p { "Keeps audiences equal to Klaviyo's lists and segments, and tells Klaviyo what happens in Fanfare." }
            p { (status(connection)) }
            a.button href={ (PATH) "?sheet=klaviyo" } {
                @if connection.is_some() { "Manage" } @else { "Connect" }
                span.hidden { " Klaviyo" }
            }
        }
    }
}

/// The connection's status as a badge.
fn status(connection: Option<&ConnectionView>) -> Markup {
    match connection.map(|connection| connection.status) {
        Some(ConnectionStatus::Active) => badge("good", "Active"),
        Some(ConnectionStatus::Error) => badge("bad", "Error"),
        None => badge("none", "Not Connected"),
    }
}

fn other(name: &str, category: &str, status: &str) -> Markup {
    html! {
        li.card.soon {
            h2 { (name) }
            p.hint { (category) }
            p { (badge("none", status)) }
        }
    }
}

/// The audiences that synced by themselves before Klaviyo was disconnected, with the way to have them do so again.
fn stopped(ended: &[Audience]) -> Markup {
    html! {
        @if !ended.is_empty() {
            (notice("warn", &html! {
                strong {
                    (texts::count(ended.len() as u64, "audience no longer syncs by itself", "audiences no longer sync by themselves")) ". "
                }
                "Disconnecting Klaviyo ended Continuous Sync. To turn it on again, choose it and the interval where you edit the audience:"
                ul {
                    @for audience in ended.iter().take(MOST_NAMED) {
                        li { a href={ "/app/audiences/" (audience.id) "/edit" } { (long_text(&audience.name)) } }
                    }
                }
                @if ended.len() > MOST_NAMED {
                    "And " (texts::count((ended.len() - MOST_NAMED) as u64, "other", "others"))
                    ". On their pages they are told to be one-time imports."
                }
            }))
        }
    }
}

fn troubles(connection: &ConnectionView, in_use: &[String]) -> Markup {
    html! {
        @if connection.status == ConnectionStatus::Error {
            (notice("bad", &html! {
                strong { "Klaviyo no longer takes the API key. " }
                @if let Some(message) = &connection.message { (message) " " }
                a href={ (PATH) "?sheet=klaviyo&update=1" } { "Save a new key" }
            }))
        } @else if !connection.missing_scopes.is_empty() {
            (notice("warn", &html! {
                strong { "Some features lack access. " }
                (texts::missing_scopes(&connection.missing_scopes, in_use)) " "
                a href={ (PATH) "?sheet=klaviyo&update=1" } { "Save a new key" }
            }))
        }
    }
}

/// What was done, after a form.
fn said(fields: &Fields) -> Option<String> {
    let text = match fields.get("notice")? {
        "connected" => "Klaviyo is connected. The next step:",
        "updated" => "The API key was saved. Paused syncs go on with it.",
        "disconnected" => "Klaviyo was disconnected. Audiences and their members stay.",
        "synced" => {
            let count: u64 = fields.text("count").and_then(|text| text.parse().ok())?;
            return Some(format!(
                "{} queued.",
                texts::count(count, "sync was", "syncs were")
            ));
        }
        _ => return None,
    };
    Some(text.to_owned())
}

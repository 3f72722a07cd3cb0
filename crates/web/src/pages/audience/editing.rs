//! `/app/audiences/{id}/edit`: its name, description and schedule.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use fanfare_domain::audience::usable_name;
use fanfare_sync::{AudienceUpdate, Error, Integration, Patch};
use maud::{Markup, html};

use super::{Frame, audience_id};
use crate::components::{csrf, long_text, text_field};
use crate::error::PageError;
use crate::fields::{Fields, Form};
use crate::layout::Section;
use crate::pages::interval::{self, Interval};
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Editor "/app/audiences/{id}/edit", show),
        page!(POST Editor "/app/audiences/{id}/edit", save),
    ]
}

/// What is wrong with what was typed.
#[derive(Default)]
struct Faults {
    name: Option<String>,
    interval: Option<String>,
}

/// The fields of the form.
const FIELDS: [&str; 4] = ["name", "description", "sync", "refreshIntervalSeconds"];

/// The field that says how another one was when the form was shown.
fn was(name: &str) -> String {
    format!("was-{name}")
}

/// The schedule as the form was shown with it.
fn shown_schedule(typed: &Fields) -> Fields {
    let mut shown = Fields::default();
    for name in ["sync", "refreshIntervalSeconds"] {
        shown = shown.set(name, typed.get(&was(name)));
    }
    shown
}

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let frame = Frame::load(&application, &visitor, &id).await?;
    let audience = &frame.status.record.audience;
    let mut typed = interval::fields(audience.refresh_interval_seconds);
    typed = typed.set("name", Some(&audience.name));
    typed = typed.set("description", audience.description.as_deref().or(Some("")));
    for name in FIELDS {
        let shown = typed.get(name).map(str::to_owned);
        typed = typed.set(&was(name), shown.as_deref());
    }
    Ok(answer(
        &application,
        &visitor,
        &frame,
        &typed,
        &Faults::default(),
    ))
}

async fn save(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let (id, Form(typed)) = (audience_id(path)?, form);
    let frame = Frame::load(&application, &visitor, &id).await?;
    let mut faults = Faults::default();
    let name = typed.text("name").and_then(usable_name);
    if name.is_none() {
        faults.name = Some("Give the audience a name.".to_owned());
    }
    let interval = match Interval::parse(&typed) {
        Ok(interval) => interval.seconds(),
        Err(fault) => {
            faults.interval = Some(fault);
            None
        }
    };
    if faults.name.is_some() || faults.interval.is_some() {
        return Ok(invalid(&application, &visitor, &frame, &typed, &faults));
    }
    // What was left as it was shown is not written: somebody may have changed it meanwhile.
    let is_changed =
        |name: &str| !typed.has(&was(name)) || typed.text(name) != typed.text(&was(name));
    let schedule = Interval::parse(&shown_schedule(&typed)).map(Interval::seconds);
    let is_rescheduled = !typed.has(&was("sync")) || schedule != Ok(interval);
    let update = AudienceUpdate {
        name: name.filter(|_| is_changed("name")),
        description: if is_changed("description") {
            Patch::Set(typed.text("description").map(str::to_owned))
        } else {
            Patch::Keep
        },
        refresh_interval_seconds: if is_rescheduled {
            Patch::Set(interval)
        } else {
            Patch::Keep
        },
        actor: visitor.actor(),
        ..AudienceUpdate::default()
    };
    let nothing = AudienceUpdate {
        actor: visitor.actor(),
        ..AudienceUpdate::default()
    };
    if update == nothing {
        return Ok(see(&format!("{}?notice=saved", frame.path())));
    }
    let saved = application
        .update_audience(visitor.organization(), &id, update)
        .await;
    match saved {
        Ok(saved) => {
            let is_renamed = saved.audience.name != frame.name();
            let is_shared = is_renamed
                && application
                    .shares_its_name(visitor.organization(), &id)
                    .await?;
            let said = if is_shared { "same-name" } else { "saved" };
            Ok(see(&format!("{}?notice={said}", frame.path())))
        }
        Err(Error::Invalid(violations)) => {
            let texts: Vec<String> = violations
                .into_iter()
                .map(|violation| violation.message)
                .collect();
            faults.interval = Some(texts.join(" "));
            Ok(invalid(&application, &visitor, &frame, &typed, &faults))
        }
        Err(Error::KeyNotFound) => {
            faults.interval = Some(
                "Klaviyo is disconnected, so nothing syncs by itself. Choose One-time Import, or connect Klaviyo first."
                    .to_owned(),
            );
            Ok(invalid(&application, &visitor, &frame, &typed, &faults))
        }
        Err(error) => Err(error.into()),
    }
}

fn invalid(
    application: &Integration,
    visitor: &Visitor,
    frame: &Frame,
    typed: &Fields,
    faults: &Faults,
) -> HttpResponse {
    let mut answer = answer(application, visitor, frame, typed, faults);
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    answer
}

fn answer(
    application: &Integration,
    visitor: &Visitor,
    frame: &Frame,
    typed: &Fields,
    faults: &Faults,
) -> HttpResponse {
    let shortest = application.shortest_interval();
    let body = markup(visitor, frame, typed, faults, shortest);
    visitor.page("Edit audience", Section::Audiences, &body)
}

fn markup(
    visitor: &Visitor,
    frame: &Frame,
    typed: &Fields,
    faults: &Faults,
    shortest: u32,
) -> Markup {
    let value = |name| typed.get(name).unwrap_or_default();
    let is_synced = frame.status.record.source.is_some();
    let hint = if is_synced {
        "While you leave it as it is, a rename in Klaviyo changes it. Once you have named it, it stays."
    } else {
        ""
    };
    html! {
        div.head { h1 { "Edit " (long_text(frame.name())) } }
        form.panel method="post" action={ (frame.path()) "/edit" } {
            (csrf(visitor))
            @for name in FIELDS.map(was) {
                @if let Some(shown) = typed.get(&name) { input type="hidden" name=(name) value=(shown); }
            }
            (text_field("name", "Name", value("name"), hint, faults.name.as_deref()))
            (text_field("description", "Description", value("description"), "", None))
            @if is_synced {
                (interval::choice(typed, faults.interval.as_deref(), shortest))
            }
            div.actions {
                button type="submit" { "Save" }
                a.button.quiet href=(frame.path()) { "Discard" }
            }
        }
    }
}

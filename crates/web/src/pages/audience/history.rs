//! `/app/audiences/{id}/history`: who joined and left when, two times compared, and moments that are kept by name.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use fanfare_domain::history::{Change, ChangeKind, Difference, Snapshot};
use fanfare_domain::ids::{AudienceId, SnapshotId};
use fanfare_domain::organization::Role;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::time::Timestamp;
use fanfare_sync::{Entity, Error, Integration};
use maud::{Markup, html};

use super::{Frame, audience_id};
use crate::components::{
    badge, button_form, csrf, empty, heading, long_text, notice, number, pager, table, text_field,
    time,
};
use crate::error::PageError;
use crate::fields::{Fields, Form, Query};
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Viewer "/app/audiences/{id}/history", show),
        page!(POST Editor "/app/audiences/{id}/snapshots", take),
        page!(POST Editor "/app/audiences/{id}/snapshots/{snapshotId}/delete", delete),
    ]
}

/// Changes of a page.
const ROWS: u32 = 50;

/// Snapshots that are shown: all that an audience may have.
const SNAPSHOTS: u32 = 200;

/// A comparison that was asked for: how the members differ, or why that cannot be told.
type Compared = Option<Result<(Timestamp, Timestamp, Difference), String>>;

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    answer(&application, &visitor, &id, &fields, None).await
}

/// The page, with what is wrong with a snapshot's name.
async fn answer(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    fields: &Fields,
    fault: Option<&str>,
) -> Result<HttpResponse, PageError> {
    let frame = Frame::load(application, visitor, id).await?;
    let organization = visitor.organization();
    let compared = compare(application, visitor, id, fields).await?;
    let page = fields.page(ROWS);
    let changes = application.changes(organization, id, None, None, &page);
    let changes = match changes.await {
        // A key that no page has shown.
        Err(Error::Invalid(_)) => {
            let first = PageRequest {
                after: None,
                ..page
            };
            let changes = application.changes(organization, id, None, None, &first);
            changes.await?
        }
        changes => changes?,
    };
    let all = PageRequest {
        first: SNAPSHOTS,
        after: None,
    };
    let snapshots = application.snapshots(organization, id, &all).await?.items;
    let address = format!("{}/history", frame.path());
    let part = html! {
        (comparison(&address, fields, &compared, &snapshots))
        (kept(visitor, &frame, &snapshots, fields, fault))
        section.panel {
            h2 { "Joined and left" }
            (feed(visitor, &changes))
            (pager(&address, fields, changes.end().filter(|_| changes.items.len() == ROWS as usize)))
        }
    };
    let mut answer = frame.answer(visitor, fields, "History", part);
    if fault.is_some() {
        *answer.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(answer)
}

/// Compares the two times of the address, if it has both.
async fn compare(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    fields: &Fields,
) -> Result<Compared, PageError> {
    let (Some(from), Some(to)) = (fields.text("from"), fields.text("to")) else {
        return Ok(None);
    };
    let times = Timestamp::parse_iso8601(from).zip(Timestamp::parse_iso8601(to));
    let Some((from, to)) = times else {
        return Ok(Some(Err(
            "Give two times such as 2026-11-24T14:00.".to_owned()
        )));
    };
    let organization = visitor.organization();
    match application.difference(organization, id, from, to).await {
        Ok(difference) => Ok(Some(Ok((from, to, difference)))),
        Err(Error::Invalid(violations)) => {
            let texts: Vec<String> = violations
                .into_iter()
                .map(|violation| format!("{}: {}.", violation.field, violation.message))
                .collect();
            Ok(Some(Err(texts.join(" "))))
        }
        Err(error) => Err(error.into()),
    }
}

fn comparison(
    address: &str,
    fields: &Fields,
    compared: &Compared,
    snapshots: &[Snapshot],
) -> Markup {
    let value = |name| fields.text(name).unwrap_or_default();
    html! {
        section.panel {
            h2 { "Compare two times" }
            form method="get" action=(address) {
                datalist #moments {
                    @for snapshot in snapshots {
                        option value=(snapshot.at) { (texts::cut(&snapshot.name, 60)) }
                    }
                }
                (moment_field("from", "From (UTC)", value("from")))
                (moment_field("to", "To (UTC)", value("to")))
                button.quiet type="submit" { "Compare" }
            }
            @match compared {
                Some(Ok((from, to, difference))) => {
                    p { "Between " (texts::exact(*from)) " and " (texts::exact(*to)) ":" }
                    dl.facts {
                        div { dt { "Members before" } dd { (number(difference.members_at_from)) } }
                        div { dt { "Joined" } dd { (number(difference.joined)) } }
                        div { dt { "Left" } dd { (number(difference.left)) } }
                        div { dt { "Members after" } dd { (number(difference.members_at_to)) } }
                    }
                },
                Some(Err(fault)) => (notice("bad", &html! { (fault) })),
                None => {},
            }
        }
    }
}

fn moment_field(id: &str, label: &str, value: &str) -> Markup {
    html! {
        div.field {
            label for=(id) { (label) }
            input #(id) name=(id) type="text" value=(value) list="moments" placeholder="2026-11-24T14:00" autocomplete="off";
        }
    }
}

/// The moments that are kept by name, and the form that keeps another.
fn kept(
    visitor: &Visitor,
    frame: &Frame,
    snapshots: &[Snapshot],
    fields: &Fields,
    fault: Option<&str>,
) -> Markup {
    let path = frame.path();
    let may_change = visitor.may(Role::Editor);
    let headings = html! {
        (heading("Name"))
        (heading("Taken"))
        th.number scope="col" { "Members" }
        (heading("Actions"))
    };
    let rows = html! {
        @for snapshot in snapshots {
            tr {
                th scope="row" { (long_text(&snapshot.name)) }
                td { (time(snapshot.at, visitor.now)) }
                td.number { (number(snapshot.members)) }
                td {
                    div.actions {
                        a.button.quiet href={ (path) "/members?asOf=" (snapshot.at) } { "Members then" }
                        @if may_change {
                            (button_form(visitor, &format!("{path}/snapshots/{}/delete", snapshot.id), "quiet", "Delete snapshot", &[]))
                        }
                    }
                }
            }
        }
    };
    html! {
        section.panel {
            h2 { "Snapshots" }
            p.hint { "A snapshot keeps who is a member at this moment by a name, for example when a draw opens." }
            @if !snapshots.is_empty() {
                (table("Snapshots", &headings, &rows))
            }
            @if may_change {
                form method="post" action={ (path) "/snapshots" } {
                    (csrf(visitor))
                    (text_field("name", "Name of the snapshot", fields.get("name").unwrap_or_default(), "", fault))
                    button.quiet type="submit" { "Take snapshot" }
                }
            }
        }
    }
}

fn feed(visitor: &Visitor, changes: &Page<Change>) -> Markup {
    if changes.items.is_empty() {
        return empty(
            "No changes",
            "Nobody has joined or left in the time that is kept.",
            None,
        );
    }
    let headings = html! {
        (heading("Change"))
        (heading("Consumer"))
        (heading("When"))
    };
    let rows = html! {
        @for change in &changes.items {
            tr {
                td {
                    @match change.kind {
                        ChangeKind::Joined => (badge("good", "Joined")),
                        ChangeKind::Left => (badge("waiting", "Left")),
                    }
                }
                th scope="row" { a href={ "/app/customers/" (change.consumer) } { (change.consumer) } }
                td { (time(change.at, visitor.now)) }
            }
        }
    };
    table("Who joined and left", &headings, &rows)
}

async fn take(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let (id, Form(typed)) = (audience_id(path)?, form);
    let name = typed.text("name").unwrap_or_default();
    let taken = application
        .take_snapshot(visitor.organization(), &id, name)
        .await;
    match taken {
        Ok(_) => Ok(see(&format!("/app/audiences/{id}/history?notice=snapshot"))),
        Err(Error::Invalid(_)) => {
            let fault = Some("Give the snapshot a name.");
            let typed = Fields::default().set("name", Some(name));
            answer(&application, &visitor, &id, &typed, fault).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn delete(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<(String, String)>,
    _: Form,
) -> Result<HttpResponse, PageError> {
    let (audience, snapshot) = path.into_inner();
    let id = audience_id(Path::from(audience))?;
    let not_found = |_| PageError::from(Error::NotFound(Entity::Snapshot));
    let snapshot = SnapshotId::parse(snapshot).map_err(not_found)?;
    let organization = visitor.organization();
    match application
        .delete_snapshot(organization, &id, &snapshot)
        .await
    {
        // A double click: it is gone already.
        Ok(()) | Err(Error::NotFound(Entity::Snapshot)) => Ok(see(&format!(
            "/app/audiences/{id}/history?notice=snapshot-deleted"
        ))),
        Err(error) => Err(error.into()),
    }
}

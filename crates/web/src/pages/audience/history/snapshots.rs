//! Moments that are kept by name.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::history::Snapshot;
use fanfare_domain::ids::SnapshotId;
use fanfare_domain::organization::Role;
use fanfare_domain::paging::PageRequest;
use fanfare_sync::{Entity, Error, Integration};
use maud::{Markup, html};

use super::{SNAPSHOTS, answer};
use crate::components::{
    button_form, cell, csrf, heading, long_text, number_cell, number_heading, table, text_field,
    time,
};
use crate::error::PageError;
use crate::fields::{Fields, Form};
use crate::layout::Section;
use crate::pages::audience::{Frame, audience_id};
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(POST Editor "/app/audiences/{id}/snapshots", take),
        page!(GET Editor "/app/audiences/{id}/snapshots/{snapshotId}/delete", ask_to_delete),
        page!(POST Editor "/app/audiences/{id}/snapshots/{snapshotId}/delete", delete),
    ]
}

/// The moments that are kept by name, and the form that keeps another.
pub(super) fn kept(
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
        (number_heading("Members"))
        (heading("Actions"))
    };
    let rows = html! {
        @for snapshot in snapshots {
            tr {
                th scope="row" { (long_text(&snapshot.name)) }
                (cell("Taken", &time(snapshot.at, visitor.now)))
                (number_cell("Members", snapshot.members))
                td {
                    div.actions {
                        a.button.quiet href={ (path) "/members?asOf=" (snapshot.at) } { "Members then" }
                        @if may_change {
                            a.button.quiet href={ (path) "/snapshots/" (snapshot.id) "/delete" } { "Delete snapshot" }
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

async fn take(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let (id, Form(typed)) = (audience_id(path)?, form);
    let name = typed.text("name").unwrap_or_default();
    let all = PageRequest {
        first: SNAPSHOTS,
        after: None,
    };
    let known = application.snapshots(visitor.organization(), &id, &all);
    let is_shared = known.await?.items.iter().any(|known| known.name == name);
    let taken = application
        .take_snapshot(visitor.organization(), &id, name)
        .await;
    match taken {
        Ok(_) => {
            let said = if is_shared {
                "snapshot-same-name"
            } else {
                "snapshot"
            };
            Ok(see(&format!("/app/audiences/{id}/history?notice={said}")))
        }
        Err(Error::Invalid(_)) => {
            let fault = Some("Give the snapshot a name.");
            let typed = Fields::default().set("name", Some(name));
            answer(&application, &visitor, &id, &typed, fault).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn ask_to_delete(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<(String, String)>,
) -> Result<HttpResponse, PageError> {
    let (audience, snapshot) = path.into_inner();
    let id = audience_id(Path::from(audience))?;
    let all = PageRequest {
        first: SNAPSHOTS,
        after: None,
    };
    let snapshots = application.snapshots(visitor.organization(), &id, &all);
    let mut snapshots = snapshots.await?.items.into_iter();
    let history = format!("/app/audiences/{id}/history");
    let Some(snapshot) = snapshots.find(|one| one.id.as_str() == snapshot) else {
        // Somebody has deleted it already.
        return Ok(see(&history));
    };
    let action = format!("/app/audiences/{id}/snapshots/{}/delete", snapshot.id);
    let body = html! {
        div.head { h1 { "Delete the snapshot " (long_text(&snapshot.name)) "?" } }
        section.panel {
            p { "It was taken " (time(snapshot.at, visitor.now)) ". Nobody can look up by its name any more who was a member then, and history that only it keeps is deleted in time." }
            p { "No member leaves the audience." }
            div.actions {
                (button_form(&visitor, &action, "danger", "Yes, delete it", &[]))
                a.button.quiet href=(history) { "Keep it" }
            }
        }
    };
    Ok(visitor.page("Delete snapshot", Section::Audiences, &body))
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

//! What is done with an audience by a button: sync, cancel, delete.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::ids::RunId;
use fanfare_sync::{Entity, Error, Integration};
use maud::html;

use super::{Frame, audience_id};
use crate::components::{button_form, long_text};
use crate::error::PageError;
use crate::fields::Form;
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(POST Editor "/app/audiences/{id}/sync", sync),
        page!(POST Editor "/app/audiences/{id}/cancel", cancel),
        page!(GET Editor "/app/audiences/{id}/delete", ask_to_delete),
        page!(POST Editor "/app/audiences/{id}/delete", delete),
    ]
}

async fn sync(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let confirmed = form.0.get("confirmRemovals") == Some("true");
    let started = application
        .sync_audience(visitor.organization(), &id, confirmed)
        .await;
    match started {
        // A double click: the first has queued what both wanted.
        Ok(_) | Err(Error::SyncInProgress) => Ok(see(&format!("/app/audiences/{id}?notice=sync"))),
        Err(error) => Err(error.into()),
    }
}

async fn cancel(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let not_found = || PageError::from(Error::NotFound(Entity::SyncRun));
    let run = form.0.text("run").ok_or_else(not_found)?;
    let run = RunId::parse(run).map_err(|_| not_found())?;
    match application.cancel_run(visitor.organization(), &run).await {
        Ok(_) => Ok(see(&format!("/app/audiences/{id}?notice=cancelled"))),
        // It ended while somebody was pressing the button: the page shows how.
        Err(Error::RunFinished) => Ok(see(&format!("/app/audiences/{id}"))),
        Err(error) => Err(error.into()),
    }
}

async fn ask_to_delete(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let frame = Frame::load(&application, &visitor, &id).await?;
    let source = frame.status.record.source.as_ref();
    let body = html! {
        div.head { h1 { "Delete " (long_text(frame.name())) "?" } }
        section.panel {
            @if let Some(source) = source {
                @let kind = source.collection.kind.noun();
                p { "A sync that is under way is cancelled, and the audience no longer syncs. Experiences that use it lose this restriction." }
                p { "Nobody is deleted: consumers stay, and so does the " (kind) " in Klaviyo, which can be imported again as a new audience." }
            } @else {
                p { "Experiences that use it lose this restriction." }
                p {
                    "Nobody is deleted: consumers stay. Who is in the audience was said by hand, and cannot be imported again: to have it back, \
                     somebody has to add the people to a new audience."
                }
            }
            @if let Some(kept) = &frame.status.kept_list {
                p {
                    "It is kept in the Klaviyo list " (long_text(kept.name.as_deref().unwrap_or(kept.list.as_str())))
                    ": that ends. The list stays in Klaviyo, with everybody who is in it."
                }
            }
            div.actions {
                (button_form(&visitor, &format!("{}/delete", frame.path()), "danger", "Delete audience", &[]))
                a.button.quiet href=(frame.path()) { "Keep it" }
            }
        }
    };
    Ok(visitor.page("Delete audience", Section::Audiences, &body))
}

async fn delete(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    _: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    application
        .archive_audience(visitor.organization(), &id, &visitor.actor())
        .await?;
    Ok(see("/app/audiences?notice=deleted"))
}

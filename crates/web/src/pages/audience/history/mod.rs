//! `/app/audiences/{id}/history`: who joined and left when, two times compared, and moments that are kept by name.

mod comparison;
mod feed;
mod snapshots;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use fanfare_domain::ids::AudienceId;
use fanfare_domain::paging::PageRequest;
use fanfare_sync::Integration;
use maud::html;

use super::{Frame, audience_id};
use crate::components::{moment, search_field};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::router::{PageRoute, page};
use crate::visitor::Visitor;

use comparison::{compare, comparison};
use feed::{feed, found_people};
use snapshots::kept;

/// The routes of these files.
pub(super) fn routes() -> Vec<PageRoute> {
    let mut routes = vec![page!(GET Viewer "/app/audiences/{id}/history", show)];
    routes.extend(snapshots::routes());
    routes
}

/// Changes of a page.
const ROWS: u32 = 50;

/// Snapshots that are shown: all that an audience may have.
const SNAPSHOTS: u32 = 200;

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
    let feed = if let Some(search) = fields.search() {
        let found = application.last_memberships(organization, id, &search, ROWS);
        found_people(visitor, &found.await?)
    } else {
        let page = fields.page(ROWS);
        let period = match &compared {
            Some(Ok((from, to, _))) => Some((*from, *to)),
            _ => None,
        };
        let changes = application.latest_changes(organization, id, period, &page);
        html! {
            @if let Some((from, to)) = period {
                p.hint {
                    "Between " (moment(from)) " and " (moment(to)) ". "
                    a href={ (frame.path()) "/history" } { "Show all times" }
                }
            }
            (feed(visitor, &frame, fields, &changes.await?))
        }
    };
    let feed = html! { div #changes { (feed) } };
    if visitor.is_partial {
        return Ok(frame.answer(visitor, fields, "History", feed));
    }
    let all = PageRequest {
        first: SNAPSHOTS,
        after: None,
    };
    let snapshots = application.snapshots(organization, id, &all).await?.items;
    let address = format!("{}/history", frame.path());
    let part = html! {
        (comparison(visitor, &address, fields, &compared, &snapshots))
        (kept(visitor, &frame, &snapshots, fields, fault))
        section.panel {
            h2 { "Joined and left" }
            (search_field(&address, fields, "E-mail, phone or name", "#changes"))
            (feed)
        }
    };
    let mut answer = frame.answer(visitor, fields, "History", part);
    if fault.is_some() {
        *answer.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(answer)
}

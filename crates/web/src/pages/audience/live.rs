//! `/app/audiences/{id}/live`: the progress of the active run as server-sent events, each with HTML to show.

use std::convert::Infallible;
use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use fanfare_domain::organization::Role;
use fanfare_domain::run::SyncRun;
use fanfare_http::{FollowedRun, News, RefusedPage, follow_run};
use fanfare_sync::Integration;
use futures_util::{Stream, stream};

use super::{Frame, audience_id, progress};
use crate::error::PageError;
use crate::router::{PageRoute, page};
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![page!(GET Viewer "/app/audiences/{id}/live", follow)]
}

async fn follow(
    request: HttpRequest,
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let frame = Frame::load(&application, &visitor, &id).await?;
    let next = match frame.active() {
        Some(run) => {
            let followed = follow_run(&request, &visitor.caller, run);
            let refused =
                |refused: RefusedPage| PageError::of_refusal(refused.status, Role::Viewer);
            Next::News(Arc::new(run.clone()), followed.map_err(refused)?)
        }
        // It has ended since the page was made: the page is to be shown anew.
        None => Next::Done,
    };
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Asks proxies not to buffer the events.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(events(application.get_ref().clone(), next)))
}

/// What a stream does next.
enum Next {
    /// Wait for news of the run, which was last known like this.
    News(Arc<SyncRun>, FollowedRun),
    /// Say that the run has ended.
    Done,
    /// End.
    End,
}

fn events(application: Integration, next: Next) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((application, next), |(application, next)| async move {
        let (text, next) = match next {
            Next::News(known, mut followed) => {
                let run = match followed.next().await? {
                    News::Run(run) => run,
                    // Told anew: that nothing happens is told with how long it has not.
                    News::None => known,
                };
                let markup = progress::live(&run, application.clock().now());
                let text = event("progress", &markup.into_string());
                if run.status.is_active() {
                    (text, Next::News(run, followed))
                } else {
                    (text, Next::Done)
                }
            }
            Next::Done => (event("done", ""), Next::End),
            Next::End => return None,
        };
        Some((Ok(Bytes::from(text)), (application, next)))
    })
}

/// An event whose data may have several lines.
fn event(name: &str, data: &str) -> String {
    let mut text = format!("event: {name}\n");
    for line in data.split(['\n', '\r']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

//! `/app/audiences/{id}/live`: the progress of the active run as server-sent events, each with HTML to show.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use fanfare_domain::organization::Role;
use fanfare_domain::run::SyncRun;
use fanfare_http::{FollowedRun, RefusedPage, follow_run};
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

/// How often a stream without news tells what it knows once more, and looks whether the visitor's key has been revoked.
const KEY_CHECK_INTERVAL: Duration = Duration::from_secs(5);

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
            let followed = follow_run(&request, run);
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
        .streaming(events(application.get_ref().clone(), visitor, next)))
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

fn events(
    application: Integration,
    visitor: Visitor,
    next: Next,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((application, visitor, next), |state| async move {
        let (application, visitor, next) = state;
        let (text, next) = match next {
            Next::News(known, mut followed) => {
                let news = tokio::time::timeout(KEY_CHECK_INTERVAL, followed.next()).await;
                let run = match news {
                    Ok(Some(run)) => run,
                    Ok(None) => return None,
                    Err(_) if is_revoked(&application, &visitor).await => return None,
                    // Told anew: that nothing happens is told with how long it has not.
                    Err(_) => known,
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
        Some((Ok(Bytes::from(text)), (application, visitor, next)))
    })
}

/// Whether the key that the visitor has signed in with is no longer valid. A store that is away says nothing about it.
async fn is_revoked(application: &Integration, visitor: &Visitor) -> bool {
    let session = &visitor.session;
    let found = application.caller_of(&session.organization, &session.key);
    matches!(found.await, Ok(None))
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

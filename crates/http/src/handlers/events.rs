//! `/api/sync-runs/{id}/events`: a run, watched as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::organization::Role::Viewer;
use fanfare_domain::run::SyncRun;
use fanfare_sync::{Error, Integration};
use futures_util::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::Application;
use crate::decode::{Id, NoQuery};
use crate::error::ApiError;
use crate::middleware::{Authentication::SecretKey, Concurrency, Permit, Principal};
use crate::route::{Route, route};
use crate::wire;

/// How often the run is read: at most four events a second.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Polls without a change after which a comment keeps the connection open: 15 seconds.
const POLLS_BEFORE_COMMENT: u32 = 60;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![route!(SecretKey(Viewer), watch)]
}

/// Watch a run
///
/// Server-sent events: `progress`, a run, at once and whenever the run has changed, at most four
/// times a second; then `done`, the run as it ended, and the end. A stream that ends without
/// `done` was cut off by the service's own end: ask again. An organization may have a hundred open at
/// once.
#[utoipa::path(
    get, path = "/api/sync-runs/{id}/events", tag = "Sync runs", operation_id = "watchSyncRun",
    params(("id" = String, Path, description = "The run")),
    responses(
        (status = 200, description = "The events", body = wire::Run, content_type = "text/event-stream"),
        (status = 404, description = "`SYNC_RUN_NOT_FOUND`"),
    ),
)]
async fn watch(
    application: Application,
    principal: Principal,
    id: Id<RunId>,
    _: NoQuery,
    concurrency: Data<Concurrency>,
    shutdown: Data<CancellationToken>,
) -> Result<HttpResponse, ApiError> {
    let run = application.run(&principal.organization, &id.0).await?;
    let watch = Watch {
        application: application.get_ref().clone(),
        organization: principal.organization.clone(),
        run: id.0,
        _open: concurrency.open_stream(&principal.organization)?,
    };
    let shutdown = shutdown.get_ref().clone().cancelled_owned();
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Asks proxies not to buffer the events.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(events(watch, run).take_until(shutdown)))
}

struct Watch {
    application: Integration,
    organization: OrganizationId,
    run: RunId,
    _open: Permit,
}

/// What the stream does next.
enum Step {
    /// Send this state of the run.
    Send(Box<SyncRun>),
    /// This state was sent: read the run until it has changed.
    Poll(Box<SyncRun>),
    /// End the stream.
    End,
}

fn events(watch: Watch, run: SyncRun) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let first = Step::Send(Box::new(run));
    stream::unfold((watch, first), |(watch, next)| async {
        let (event, next) = match next {
            Step::Send(run) => (watch.event("progress", &run), Step::Poll(run)),
            Step::Poll(run) if !run.status.is_active() => (watch.event("done", &run), Step::End),
            Step::Poll(shown) => watch.poll(shown).await?,
            Step::End => return None,
        };
        Some((Ok(event), (watch, next)))
    })
}

impl Watch {
    /// Reads the run until it has changed. `None` if the run can no longer be read.
    async fn poll(&self, shown: Box<SyncRun>) -> Option<(Bytes, Step)> {
        for _ in 0..POLLS_BEFORE_COMMENT {
            tokio::time::sleep(POLL_INTERVAL).await;
            match self.application.run(&self.organization, &self.run).await {
                Ok(run) if run == *shown => {}
                Ok(run) => {
                    let event = self.event("progress", &run);
                    return Some((event, Step::Poll(Box::new(run))));
                }
                // The store is away: it may be back before the caller notices.
                Err(Error::Store(error)) if error.is_transient() => {}
                Err(error) => {
                    let error = ApiError::from(error);
                    tracing::error!(
                        organizationId = self.organization.as_str(),
                        runId = self.run.as_str(),
                        code = error.code(),
                        cause = error.causes(),
                        "a run can no longer be watched"
                    );
                    return None;
                }
            }
        }
        Some((Bytes::from_static(b": still here\n\n"), Step::Poll(shown)))
    }

    fn event(&self, name: &str, run: &SyncRun) -> Bytes {
        let run = wire::Run::of(run.clone(), self.application.clock().now());
        match serde_json::to_string(&run) {
            Ok(json) => Bytes::from(format!("event: {name}\ndata: {json}\n\n")),
            Err(_) => Bytes::from_static(b": a run that cannot be shown\n\n"),
        }
    }
}

//! `/api/sync-runs/{id}/events`: a run, watched as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use fanfare_domain::ids::RunId;
use fanfare_domain::organization::Role::Viewer;
use fanfare_sync::{AnyRun, Integration};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Application;
use crate::decode::{Id, NoQuery};
use crate::error::ApiError;
use crate::middleware::{Authentication::SecretKey, Concurrency, Permit, Principal};
use crate::route::{Route, route};
use crate::run_watches::Watched;
use crate::stream_keys::{KEY_CHECK_INTERVAL, StreamKeys};
use crate::streams::Streams;
use crate::wire;

/// Such looks without news after which a comment keeps the connection open: 15 seconds.
const KEY_CHECKS_BEFORE_COMMENT: u32 = 3;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![route!(SecretKey(Viewer), watch)]
}

/// Watch a run
///
/// Server-sent events: `progress`, a run, at once and whenever the run has changed, at most four
/// times a second; then `done`, the run as it ended, and the end. A stream that ends without
/// `done` was cut off by the service's own end, or because the secret key was revoked: ask again. An organization may have a hundred open at
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
    streams: Data<Streams>,
    shutdown: Data<CancellationToken>,
) -> Result<HttpResponse, ApiError> {
    let run = application.any_run(&principal.organization, &id.0).await?;
    let open = concurrency.open_stream(&principal.organization)?;
    let stream = EventStream {
        news: streams.runs.follow(&application, &run),
        application: application.get_ref().clone(),
        principal,
        keys: streams.keys.clone(),
        next_key_check: Instant::now() + KEY_CHECK_INTERVAL,
        _open: open,
    };
    let shutdown = shutdown.get_ref().clone().cancelled_owned();
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Asks proxies not to buffer the events.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(events(stream, run).take_until(shutdown)))
}

struct EventStream {
    application: Integration,
    principal: Principal,
    keys: StreamKeys,
    news: watch::Receiver<Watched>,
    next_key_check: Instant,
    _open: Permit,
}

/// What the stream does next.
enum Step {
    /// Send this state of the run.
    Send(Arc<AnyRun>),
    /// This state was sent: wait for another.
    Wait(Arc<AnyRun>),
    /// End the stream.
    End,
}

fn events(stream: EventStream, run: AnyRun) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let first = Step::Send(Arc::new(run));
    stream::unfold((stream, first), |(mut stream, next)| async {
        let (event, next) = match next {
            Step::Send(run) => (stream.event("progress", &run), Step::Wait(run)),
            Step::Wait(run) if !run.status().is_active() => (stream.event("done", &run), Step::End),
            Step::Wait(shown) => stream.wait(shown).await?,
            Step::End => return None,
        };
        Some((Ok(event), (stream, next)))
    })
}

impl EventStream {
    /// Waits until the run has changed. `None` if it can no longer be read, or not by this caller.
    async fn wait(&mut self, shown: Arc<AnyRun>) -> Option<(Bytes, Step)> {
        for _ in 0..KEY_CHECKS_BEFORE_COMMENT {
            let check = self.next_key_check;
            match tokio::time::timeout_at(check, self.another(&shown)).await {
                Ok(run) => {
                    let run = run?;
                    return Some((self.event("progress", &run), Step::Wait(run)));
                }
                Err(_) if self.is_revoked().await => return None,
                Err(_) => self.next_key_check = Instant::now() + KEY_CHECK_INTERVAL,
            }
        }
        Some((Bytes::from_static(b": still here\n\n"), Step::Wait(shown)))
    }

    async fn is_revoked(&self) -> bool {
        let keys = &self.keys;
        keys.is_revoked(&self.application, &self.principal).await
    }

    /// The run's next state that differs from the one shown.
    async fn another(&mut self, shown: &AnyRun) -> Option<Arc<AnyRun>> {
        let is_news = |state: &Watched| state.as_deref() != Some(shown);
        self.news.wait_for(is_news).await.ok()?.clone()
    }

    fn event(&self, name: &str, run: &AnyRun) -> Bytes {
        let run = wire::Run::of(run.clone(), self.application.clock().now());
        match serde_json::to_string(&run) {
            Ok(json) => Bytes::from(format!("event: {name}\ndata: {json}\n\n")),
            Err(_) => Bytes::from_static(b": a run that cannot be shown\n\n"),
        }
    }
}

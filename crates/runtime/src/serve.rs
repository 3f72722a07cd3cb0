//! What a wired program does until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use fanfare_http::{Api, RenderMetrics};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::error::StartError;
use crate::readiness::{StoreReadiness, WorkerReadiness};
use crate::socket::Socket;

/// How long the address is held back for a runner that has not started. Its store is away then, and its
/// health shows that.
const RUNNER_START_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves the API until `stop`, then finishes the requests under way.
pub async fn serve_api(
    app: &App,
    socket: Socket,
    metrics: RenderMetrics,
    stop: CancellationToken,
) -> Result<(), StartError> {
    let (listener, address) = socket.take();
    let api = Api {
        integration: app.integration.clone(),
        readiness: Arc::new(StoreReadiness(app.storage.clone())),
        metrics,
        pages: app.pages(),
        public_url: app.public_url(),
        shutdown: stop.clone(),
    };
    let server = fanfare_http::serve(listener, api).map_err(StartError::Server)?;
    Socket::announce(address);
    server.await.map_err(StartError::Server)?;
    error_unless_stopped(&stop, "the API's server")
}

/// Works runs and shows its health until `stop`, then finishes the pages under way and gives the
/// runs back.
pub async fn work(
    app: &App,
    socket: Socket,
    metrics: RenderMetrics,
    stop: CancellationToken,
) -> Result<(), StartError> {
    let runner = app.runner();
    let heartbeat = runner.heartbeat();
    let readiness = Arc::new(WorkerReadiness {
        store: StoreReadiness(app.storage.clone()),
        heartbeat: heartbeat.clone(),
    });
    let (listener, address) = socket.take();
    // When one half ends, the other is stopped.
    let both = stop.child_token();
    let server = fanfare_http::serve_health(listener, readiness, metrics, both.clone())
        .map_err(StartError::Server)?;
    let serve = async {
        let ended = server.await.map_err(StartError::Server);
        ended.and(error_unless_stopped(
            &both,
            "the server of the worker's health",
        ))
    };
    let run = async {
        runner.run(both.clone()).await?;
        error_unless_stopped(&both, "the job runner")
    };
    // A reader of the address can rely on a worker that works, or that says on /readyz that it cannot.
    let announce = async {
        tokio::select! {
            () = both.cancelled() => {}
            _ = tokio::time::timeout(RUNNER_START_TIMEOUT, heartbeat.started()) => Socket::announce(address),
        }
    };
    let (ended, ()) = tokio::join!(join(&both, serve, run), announce);
    ended
}

/// Serves the API and works runs, in one process.
pub async fn serve_both(
    app: &App,
    sockets: (Socket, Socket),
    metrics: RenderMetrics,
    stop: CancellationToken,
) -> Result<(), StartError> {
    let both = stop.child_token();
    let api = serve_api(app, sockets.0, Arc::clone(&metrics), both.clone());
    let worker = work(app, sockets.1, metrics, both.clone());
    Box::pin(join(&both, api, worker)).await
}

/// Waits for both halves; whichever ends first stops the other. The first error counts.
async fn join(
    stop: &CancellationToken,
    one: impl Future<Output = Result<(), StartError>>,
    other: impl Future<Output = Result<(), StartError>>,
) -> Result<(), StartError> {
    let one = async {
        let ended = one.await;
        stop.cancel();
        ended
    };
    let other = async {
        let ended = other.await;
        stop.cancel();
        ended
    };
    let (one, other) = tokio::join!(one, other);
    one.and(other)
}

/// An end is an error unless `stop` asked for it: a program that has lost a part of itself must not exit
/// with success.
fn error_unless_stopped(stop: &CancellationToken, what: &'static str) -> Result<(), StartError> {
    if stop.is_cancelled() {
        Ok(())
    } else {
        Err(StartError::Ended(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_half_that_ends_by_itself_stops_the_other_and_is_an_error() {
        let stop = CancellationToken::new();
        let waits = async {
            stop.cancelled().await;
            Ok(())
        };

        let ended = join(&stop, waits, async {
            error_unless_stopped(&stop, "the runner")
        })
        .await;

        let error = ended.unwrap_err().to_string();
        assert_eq!(error, "the runner ended without having been told to");
    }

    #[tokio::test]
    async fn halves_that_end_after_stop_are_no_error() {
        let stop = CancellationToken::new();
        let half = async |what| {
            stop.cancelled().await;
            error_unless_stopped(&stop, what)
        };
        let told = async {
            tokio::task::yield_now().await;
            stop.cancel();
        };

        let (ended, ()) = tokio::join!(join(&stop, half("one"), half("other")), told);

        assert!(ended.is_ok());
    }
}

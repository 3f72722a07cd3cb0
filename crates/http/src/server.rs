//! The servers: the API's, and the small one of a worker.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::{App, HttpServer};
use fanfare_sync::Integration;
use tokio_util::sync::CancellationToken;

use crate::health::{Readiness, RenderMetrics};

/// What the API is served with.
#[derive(Clone)]
pub struct Api {
    /// The use cases.
    pub integration: Integration,
    /// What `/readyz` asks.
    pub readiness: Arc<dyn Readiness>,
    /// What `/metrics` shows.
    pub metrics: RenderMetrics,
    /// Cancelling it stops the server: event streams end, requests under way are finished (for at
    /// most 30 s), and the [`Server`] future resolves.
    pub shutdown: CancellationToken,
}

/// Serves the API and the dashboard on a bound listener. Await the server, inside a tokio runtime;
/// it handles no signals, [`Api::shutdown`] stops it.
pub fn serve(listener: TcpListener, api: Api) -> std::io::Result<Server> {
    let shutdown = api.shutdown.clone();
    let server = HttpServer::new(App::new).listen(listener)?;
    Ok(run(
        server.disable_signals().shutdown_timeout(30).run(),
        shutdown,
    ))
}

/// Serves `/healthz`, `/readyz` and `/metrics` alone, until `shutdown` is cancelled.
pub fn serve_health(
    listener: TcpListener,
    readiness: Arc<dyn Readiness>,
    metrics: RenderMetrics,
    shutdown: CancellationToken,
) -> std::io::Result<Server> {
    drop((readiness, metrics));
    let server = HttpServer::new(App::new).workers(1).listen(listener)?;
    Ok(run(
        server.disable_signals().shutdown_timeout(5).run(),
        shutdown,
    ))
}

fn run(server: Server, shutdown: CancellationToken) -> Server {
    let handle = server.handle();
    actix_web::rt::spawn(async move {
        shutdown.cancelled().await;
        handle.stop(true).await;
    });
    server
}

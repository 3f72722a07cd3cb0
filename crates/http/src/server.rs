//! The servers: the API's, and the small one of a worker.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, Error, HttpServer};
use fanfare_sync::Integration;
use tokio_util::sync::CancellationToken;

use crate::handlers::{self, service};
use crate::health::{Health, Readiness, RenderMetrics};
use crate::middleware::{Concurrency, Connections, RateLimiter, observe};
use crate::route::Route;
use crate::streams::Streams;
use crate::{openapi, router};

/// Registers the pages that are served beside the API.
pub type Pages = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// What the API is served with.
#[derive(Clone)]
pub struct Api {
    /// The use cases.
    pub integration: Integration,
    /// What `/readyz` asks.
    pub readiness: Arc<dyn Readiness>,
    /// What `/metrics` shows.
    pub metrics: RenderMetrics,
    /// The dashboard, or nothing.
    pub pages: Pages,
    /// Where others reach the API, such as `https://sync.example.com`; `None`: where they say that they do.
    pub public_url: Option<String>,
    /// Cancelling it stops the server: event streams end, requests under way are finished (for at
    /// most 30 s), and the [`Server`] future resolves.
    pub shutdown: CancellationToken,
}

/// Serves the API on a bound listener. Await the server, inside a tokio runtime; it handles no
/// signals, [`Api::shutdown`] stops it.
pub fn serve(listener: TcpListener, api: Api) -> std::io::Result<Server> {
    let shutdown = api.shutdown.clone();
    Ok(run(listen(listener, api.into())?, shutdown))
}

/// The server of these parts, which nothing stops yet.
pub(crate) fn listen(listener: TcpListener, parts: Parts) -> std::io::Result<Server> {
    let TimeLimits {
        headers,
        idle,
        answer: limit,
        ..
    } = **parts.time_limits;
    let connections = parts.connections.clone();
    let server = HttpServer::new(move || app(&parts)).on_connect(move |connection, extensions| {
        if let Some(connection) = connection.downcast_ref::<TcpStream>() {
            connections.accept(connection, extensions, limit);
        }
    });
    let server = server.client_request_timeout(headers).keep_alive(idle);
    let server = server.listen(listener)?;
    Ok(server.disable_signals().shutdown_timeout(30).run())
}

/// Serves `/healthz`, `/readyz` and `/metrics` alone, until `shutdown` is cancelled.
pub fn serve_health(
    listener: TcpListener,
    readiness: Arc<dyn Readiness>,
    metrics: RenderMetrics,
    shutdown: CancellationToken,
) -> std::io::Result<Server> {
    let health = Data::new(Health { readiness, metrics });
    let app = move || {
        App::new()
            .app_data(health.clone())
            .configure(|config| router::register(config, service::worker_routes()))
    };
    let server = HttpServer::new(app).workers(1).listen(listener)?;
    Ok(run(
        server.disable_signals().shutdown_timeout(5).run(),
        shutdown,
    ))
}

fn run(server: Server, shutdown: CancellationToken) -> Server {
    let handle = server.handle();
    tokio::spawn(async move {
        shutdown.cancelled().await;
        handle.stop(true).await;
    });
    server
}

/// Where others reach the API, if that is known.
#[derive(Debug, Clone)]
pub(crate) struct PublicUrl(pub(crate) Option<String>);

/// How long the other side of a connection may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimits {
    /// To send the headers of a request.
    pub(crate) headers: Duration,
    /// To send another request on the same connection.
    pub(crate) idle: Duration,
    /// To send a body, from its headers on.
    pub(crate) body: Duration,
    /// To take an answer.
    pub(crate) answer: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(5),
            idle: Duration::from_secs(5),
            body: Duration::from_secs(15),
            answer: Duration::from_mins(1),
        }
    }
}

/// What handlers are given, shared by all workers of the server.
#[derive(Clone)]
pub struct Parts {
    integration: Data<Integration>,
    health: Data<Health>,
    shutdown: Data<CancellationToken>,
    limiter: Data<RateLimiter>,
    pub(crate) concurrency: Data<Concurrency>,
    pub(crate) connections: Connections,
    pub(crate) time_limits: Data<TimeLimits>,
    streams: Data<Streams>,
    document: Data<service::Document>,
    public_url: Data<PublicUrl>,
    pages: Pages,
    routes: &'static [Route],
}

impl From<Api> for Parts {
    fn from(api: Api) -> Self {
        Self::new(api, handlers::routes())
    }
}

impl Parts {
    pub(crate) fn new(api: Api, routes: &'static [Route]) -> Self {
        Self {
            document: Data::new(service::Document(openapi::json(routes))),
            routes,
            pages: api.pages,
            public_url: Data::new(PublicUrl(api.public_url)),
            integration: Data::new(api.integration),
            health: Data::new(Health {
                readiness: api.readiness,
                metrics: api.metrics,
            }),
            shutdown: Data::new(api.shutdown),
            limiter: Data::default(),
            concurrency: Data::default(),
            connections: Connections::default(),
            streams: Data::default(),
            time_limits: Data::default(),
        }
    }
}

/// The API and the pages as one worker of the server serves them: what [`serve`] does, without a socket.
pub fn app(
    parts: &Parts,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(parts.integration.clone())
        .app_data(parts.health.clone())
        .app_data(parts.shutdown.clone())
        .app_data(parts.limiter.clone())
        .app_data(parts.concurrency.clone())
        .app_data(parts.time_limits.clone())
        .app_data(parts.streams.clone())
        .app_data(parts.document.clone())
        .app_data(parts.public_url.clone())
        .configure(|config| (parts.pages)(config))
        .configure(|config| router::register(config, parts.routes))
        .wrap(from_fn(observe))
}

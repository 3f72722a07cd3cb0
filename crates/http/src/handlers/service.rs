//! What the service tells about itself to every caller.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::health::Health;
use crate::middleware::Authentication;
use crate::route::{Route, route};

/// The `OpenAPI` document of the served routes, as JSON text.
pub(crate) struct Document(pub(crate) String);

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = health_routes();
    routes.push(route!(Authentication::None, document));
    routes.push(route!(Authentication::None, landing));
    routes
}

/// The routes that a worker has too.
fn health_routes() -> Vec<Route> {
    vec![
        route!(Authentication::None, live),
        route!(Authentication::None, ready),
        route!(Authentication::None, metrics),
    ]
}

/// Every route of a worker.
pub(crate) fn worker_routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(health_routes);
    &ROUTES
}

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceStatus {
    /// `ok`
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: ServiceStatus = ServiceStatus { status: "ok" };

/// Whether the program lives
#[utoipa::path(
    get, path = "/healthz", tag = "Service", operation_id = "getHealth",
    responses((status = 200, description = "It lives", body = ServiceStatus)),
)]
async fn live() -> Json<ServiceStatus> {
    Json(OK)
}

/// Whether the program can do its work now
#[utoipa::path(
    get, path = "/readyz", tag = "Service", operation_id = "getReadiness",
    responses(
        (status = 200, description = "It can", body = ServiceStatus),
        (status = 503, description = "The database is not there, or its schema is wrong"),
    ),
)]
async fn ready(health: Data<Health>) -> Result<Json<ServiceStatus>, ApiError> {
    match health.readiness.check().await {
        Ok(()) => Ok(Json(OK)),
        Err(reason) => Err(ApiError::not_ready(reason)),
    }
}

/// What the program counts
#[utoipa::path(
    get, path = "/metrics", tag = "Service", operation_id = "getMetrics",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")),
)]
async fn metrics(health: Data<Health>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((health.metrics)())
}

/// This document
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "Service", operation_id = "getOpenApi",
    responses((status = 200, description = "The OpenAPI document", body = Object)),
)]
async fn document(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(document.0.clone())
}

/// Where the API is, for people
#[utoipa::path(
    get, path = "/", tag = "Service", operation_id = "getLandingPage",
    responses((status = 200, description = "A page", body = String, content_type = "text/html")),
)]
async fn landing() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .body(LANDING)
}

const LANDING: &str = concat!(
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Fanfare for Klaviyo</title>",
    "<h1>Fanfare for Klaviyo</h1>",
    "<p><a href=\"/app\">Open the dashboard</a></p>",
    "<p>The API is at <code>/api</code> and described in ",
    "<a href=\"/api/openapi.json\">/api/openapi.json</a>. ",
    "Send a secret key: <code>Authorization: Bearer sk_…</code></p></html>\n",
);

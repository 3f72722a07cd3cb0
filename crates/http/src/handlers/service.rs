//! What the service says of itself, to anybody.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::health::Health;
use crate::openapi;

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceStatus)]
pub(crate) struct Ok {
    /// `ok`
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: Ok = Ok { status: "ok" };

/// Whether the program lives
#[utoipa::path(
    get, path = "/healthz", tag = "Service", operation_id = "getHealth",
    responses((status = 200, description = "It lives", body = Ok)),
)]
pub(crate) async fn live() -> Json<Ok> {
    Json(OK)
}

/// Whether the program can do its work now
#[utoipa::path(
    get, path = "/readyz", tag = "Service", operation_id = "getReadiness",
    responses(
        (status = 200, description = "It can", body = Ok),
        (status = 503, description = "The database is not there, or its schema is wrong"),
    ),
)]
pub(crate) async fn ready(health: Data<Health>) -> Result<Json<Ok>, ApiError> {
    match health.readiness.check().await {
        Result::Ok(()) => Result::Ok(Json(OK)),
        Err(reason) => Err(ApiError::not_ready(reason)),
    }
}

/// What the program counts
#[utoipa::path(
    get, path = "/metrics", tag = "Service", operation_id = "getMetrics",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain")),
)]
pub(crate) async fn metrics(health: Data<Health>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body((health.metrics)())
}

/// This document
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "Service", operation_id = "getOpenApi",
    responses((status = 200, description = "The OpenAPI document", body = Object)),
)]
pub(crate) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(openapi::json())
}

/// Where the API is, for people.
pub(crate) async fn landing() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .body(LANDING)
}

const LANDING: &str = concat!(
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Fanfare for Klaviyo</title>",
    "<h1>Fanfare for Klaviyo</h1>",
    "<p>The API is at <code>/api</code> and described in ",
    "<a href=\"/api/openapi.json\">/api/openapi.json</a>. ",
    "Send a secret key: <code>Authorization: Bearer sk_…</code></p></html>\n",
);

//! One log line and one metric for each request, and the headers of every answer. Of a path they
//! hold the route's pattern alone, never an id.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use fanfare_sync::Integration;
use metrics::{counter, histogram};
use tracing::Instrument;

use super::authentication::Asking;
use super::rate_limit::RateLimitUse;
use super::request_id::RequestId;
use super::unread_body;
use crate::error::ApiError;

/// Logs and counts a request, and completes its answer.
pub(crate) async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(application) = request.app_data::<web::Data<Integration>>().cloned() else {
        let error = ApiError::internal("the API was put together without its parts");
        return Ok(request.error_response(error));
    };
    let begun = Instant::now();
    let id = RequestId::of(request.headers(), application.ids());
    let method = method_name(request.method());

    // Found before the request is routed, because the log lines of the handler show it too.
    let route = request.match_pattern();
    let route = route.as_deref().unwrap_or("unmatched");
    let handler = handler_of(route);

    let body = unread_body::keep(&mut request);
    let span = tracing::info_span!("request", handler, requestId = id.as_str());
    let answer = next.call(request).instrument(span.clone()).await?;
    let mut answer = unread_body::hold(answer.map_into_boxed_body(), body);

    let used = answer.request().extensions().get::<RateLimitUse>().copied();
    let headers = answer.headers_mut();
    id.write_to(headers);
    used.unwrap_or_else(|| RateLimitUse::none(application.clock().now()))
        .write_to(headers);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }

    let took = begun.elapsed();
    let asking = answer.request().extensions().get::<Asking>().cloned();
    span.in_scope(|| log_failure(&answer));
    // Outside the span, whose fields would be in the line a second time.
    tracing::info!(
        handler,
        method,
        route,
        status = answer.status().as_u16(),
        durationMs = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        requestId = id.as_str(),
        organizationId = asking
            .as_ref()
            .map(|Asking(organization)| organization.as_str()),
        "request answered"
    );
    let labels = [
        ("method", method.to_owned()),
        ("route", route.to_owned()),
        ("status", status_class(answer.status()).to_owned()),
    ];
    counter!("fanfare_http_requests_total", &labels).increment(1);
    histogram!("fanfare_http_request_duration_seconds", &labels).record(took.as_secs_f64());
    Ok(answer)
}

/// The log's name for the part that a route belongs to.
fn handler_of(route: &str) -> &'static str {
    if is_page(route) {
        "dashboard.handler"
    } else if route.contains("/klaviyo") {
        "klaviyo.handler"
    } else {
        "api.handler"
    }
}

/// Whether a route is a page of the dashboard or belongs to one.
fn is_page(route: &str) -> bool {
    let of_pages = ["/app", "/auth/", "/assets/"];
    of_pages.iter().any(|base| route.starts_with(base))
}

/// Logs the causes of a failure of the service or of Klaviyo, which the answer does not show.
fn log_failure(answer: &ServiceResponse) {
    if !answer.status().is_server_error() {
        return;
    }
    let error = answer.response().error();
    let Some(error) = error.and_then(|error| error.as_error::<ApiError>()) else {
        return;
    };
    if answer.status() == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(code = error.code(), cause = error.causes(), "{error}");
    } else {
        tracing::warn!(code = error.code(), cause = error.causes(), "{error}");
    }
}

/// A client can make up methods, and must not make up labels with them.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        0..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

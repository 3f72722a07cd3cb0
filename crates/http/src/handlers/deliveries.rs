//! `/api/deliveries`, and a preview of what one says.

use actix_web::web::Json;
use fanfare_domain::ids::DeliveryId;
use fanfare_domain::organization::Role::{Editor, Viewer};

use super::{Answer, Application};
use crate::decode::{Id, NoQuery, PageParameters, PagedQuery, Query};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), list),
        route!(SecretKey(Viewer), summary),
        route!(SecretKey(Editor), retry),
        route!(SecretKey(Viewer), preview),
    ]
}

/// List the deliveries
///
/// What Klaviyo was told or is to be told, and what it was not told and why; the latest first. They are kept for 90 days.
#[utoipa::path(
    get, path = "/api/deliveries", tag = "Deliveries", operation_id = "getDeliveries",
    params(PageParameters, wire::DeliveriesQuery),
    responses((status = 200, description = "A page of deliveries", body = wire::Page<wire::Delivery>)),
)]
async fn list(
    application: Application,
    principal: Principal,
    PagedQuery(query, page): PagedQuery<wire::DeliveriesQuery>,
) -> Answer<wire::Page<wire::Delivery>> {
    let deliveries = application
        .deliveries(&principal.organization, &query.into(), &page)
        .await?;
    Ok(Json(wire::Page::of(deliveries, wire::Delivery::from)))
}

/// Count the deliveries
///
/// By kind and status, with the time of the oldest one that is pending.
#[utoipa::path(
    get, path = "/api/deliveries/summary", tag = "Deliveries", operation_id = "getDeliverySummary",
    responses((status = 200, description = "The numbers", body = wire::DeliverySummary)),
)]
async fn summary(
    application: Application,
    principal: Principal,
    _: NoQuery,
) -> Answer<wire::DeliverySummary> {
    let summary = application
        .delivery_summary(&principal.organization)
        .await?;
    Ok(Json(summary.into()))
}

/// Retry a delivery
///
/// One that has failed is tried again at once, as it was frozen. One that is pending stays as it is.
#[utoipa::path(
    post, path = "/api/deliveries/{id}/retry", tag = "Deliveries", operation_id = "retryDelivery",
    params(("id" = String, Path, description = "The delivery")),
    responses(
        (status = 200, description = "The delivery as it is now", body = wire::Delivery),
        (status = 404, description = "`DELIVERY_NOT_FOUND`"),
        (status = 409, description = "`DELIVERY_NOT_RETRIABLE`: it was sent or dropped"),
    ),
)]
async fn retry(
    application: Application,
    principal: Principal,
    id: Id<DeliveryId>,
    _: NoQuery,
) -> Answer<wire::Delivery> {
    let delivery = application
        .retry_delivery(&principal.organization, &id.0)
        .await?;
    Ok(Json(delivery.into()))
}

/// Preview an event
///
/// What Klaviyo would be told of an event of a type, with sample data, by the metrics that are chosen now. Nothing is sent.
#[utoipa::path(
    get, path = "/api/events/preview", tag = "Deliveries", operation_id = "previewEvent",
    params(wire::PreviewQuery),
    responses(
        (status = 200, description = "What it would be told", body = wire::EventPreview),
        (status = 404, description = "`CONSUMER_NOT_FOUND`"),
    ),
)]
async fn preview(
    application: Application,
    principal: Principal,
    query: Query<wire::PreviewQuery>,
) -> Answer<wire::EventPreview> {
    let (of, consumer) = (query.0.event_type.0, query.0.consumer_id);
    let decision = application
        .preview_event(&principal.organization, of, consumer.as_ref())
        .await?;
    Ok(Json(decision.into()))
}

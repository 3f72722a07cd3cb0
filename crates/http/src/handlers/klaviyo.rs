//! `/api/klaviyo` and the import.

use actix_web::web::Json;
use fanfare_domain::organization::Role::{Editor, Viewer};
use fanfare_domain::source::CollectionKind;

use super::{Answer, Application};
use crate::decode::{Body, Id, ListRef, NoQuery, SegmentRef};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::openapi::KlaviyoRefusals;
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), lists),
        route!(SecretKey(Viewer), segments),
        route!(SecretKey(Viewer), quota),
        route!(SecretKey(Viewer), estimate_list),
        route!(SecretKey(Viewer), estimate_segment),
        route!(SecretKey(Editor), import),
    ]
}

/// List the lists in Klaviyo
///
/// All of the connected account's, with what of them is synced.
#[utoipa::path(
    get, path = "/api/klaviyo", tag = "Klaviyo", operation_id = "getKlaviyoLists",
    responses(
        (status = 200, description = "All lists", body = Vec<wire::KlaviyoList>),
        KlaviyoRefusals,
    ),
)]
async fn lists(
    application: Application,
    principal: Principal,
    _: NoQuery,
) -> Answer<Vec<wire::KlaviyoList>> {
    let found = application.collections(&principal.organization, CollectionKind::List);
    Ok(Json(found.await?.into_iter().map(Into::into).collect()))
}

/// List the segments in Klaviyo
///
/// All of the connected account's, with what of them is synced.
#[utoipa::path(
    get, path = "/api/klaviyo/segments", tag = "Klaviyo", operation_id = "getKlaviyoSegments",
    responses(
        (status = 200, description = "All segments", body = Vec<wire::KlaviyoSegment>),
        KlaviyoRefusals,
    ),
)]
async fn segments(
    application: Application,
    principal: Principal,
    _: NoQuery,
) -> Answer<Vec<wire::KlaviyoSegment>> {
    let found = application.collections(&principal.organization, CollectionKind::Segment);
    Ok(Json(found.await?.into_iter().map(Into::into).collect()))
}

/// Show Klaviyo's quota
///
/// What Klaviyo allows the connected account, what is used of it now, and how many syncs wait for it. Klaviyo is not
/// asked.
#[utoipa::path(
    get, path = "/api/klaviyo/quota", tag = "Klaviyo", operation_id = "getKlaviyoQuota",
    responses(
        (status = 200, description = "The quota", body = wire::Quota),
        (status = 400, description = "`KLAVIYO_KEY_NOT_FOUND`"),
    ),
)]
async fn quota(application: Application, principal: Principal, _: NoQuery) -> Answer<wire::Quota> {
    let quota = application.klaviyo_quota(&principal.organization).await?;
    Ok(Json(quota.into()))
}

/// Estimate the import of a list
///
/// What it would cost of Klaviyo's quota and of time. What is not known now is null.
#[utoipa::path(
    get, path = "/api/klaviyo/lists/{listId}/estimate", tag = "Klaviyo", operation_id = "estimateKlaviyoList",
    params(("listId" = String, Path, description = "Klaviyo's id of the list")),
    responses(
        (status = 200, description = "The estimate", body = wire::Estimate),
        (status = 404, description = "`KLAVIYO_LIST_NOT_FOUND`"),
        KlaviyoRefusals,
    ),
)]
async fn estimate_list(
    application: Application,
    principal: Principal,
    list: Id<ListRef>,
    _: NoQuery,
) -> Answer<wire::Estimate> {
    let Id(ListRef(list)) = list;
    let estimate = application.estimate(&principal.organization, &list).await?;
    Ok(Json(estimate.into()))
}

/// Estimate the import of a segment
///
/// What it would cost of Klaviyo's quota and of time. What is not known now is null.
#[utoipa::path(
    get, path = "/api/klaviyo/segments/{segmentId}/estimate", tag = "Klaviyo", operation_id = "estimateKlaviyoSegment",
    params(("segmentId" = String, Path, description = "Klaviyo's id of the segment")),
    responses(
        (status = 200, description = "The estimate", body = wire::Estimate),
        (status = 404, description = "`KLAVIYO_SEGMENT_NOT_FOUND`"),
        KlaviyoRefusals,
    ),
)]
async fn estimate_segment(
    application: Application,
    principal: Principal,
    segment: Id<SegmentRef>,
    _: NoQuery,
) -> Answer<wire::Estimate> {
    let Id(SegmentRef(segment)) = segment;
    let estimate = application
        .estimate(&principal.organization, &segment)
        .await?;
    Ok(Json(estimate.into()))
}

/// Import lists and segments from Klaviyo
///
/// Each becomes an audience of type `SYNCED_LIST` with a first run. What is synced already, or
/// not in Klaviyo, is skipped and says so.
#[utoipa::path(
    post, path = "/api/audiences/import/klaviyo", tag = "Klaviyo", operation_id = "importFromKlaviyo",
    request_body = wire::ImportBody,
    responses(
        (status = 200, description = "What became of each list and segment", body = wire::ImportOutcome),
        KlaviyoRefusals,
    ),
)]
async fn import(
    application: Application,
    principal: Principal,
    _: NoQuery,
    body: Body<wire::ImportBody>,
) -> Answer<wire::ImportOutcome> {
    let request = body.0.into_request(principal.actor());
    let outcome = application.import(&principal.organization, request).await?;
    Ok(Json(outcome.into()))
}

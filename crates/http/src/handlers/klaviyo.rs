//! `/api/klaviyo` and the import.

use actix_web::web::Json;
use fanfare_domain::ids::CollectionId;
use fanfare_domain::organization::Role::{Editor, Viewer};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_sync::ImportRequest;

use super::{Answer, Application};
use crate::decode::{Body, Id, ListRef, NoQuery, Node, Object, SegmentRef, Violations};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::openapi::KlaviyoRefusals;
use crate::route::{Route, route};
use crate::wire;

/// Lists, and as many segments, that one import may name.
const MAX_AT_ONCE: usize = 100;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), lists),
        route!(SecretKey(Viewer), segments),
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
pub(crate) async fn lists(
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
pub(crate) async fn segments(
    application: Application,
    principal: Principal,
    _: NoQuery,
) -> Answer<Vec<wire::KlaviyoSegment>> {
    let found = application.collections(&principal.organization, CollectionKind::Segment);
    Ok(Json(found.await?.into_iter().map(Into::into).collect()))
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
pub(crate) async fn estimate_list(
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
pub(crate) async fn estimate_segment(
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
pub(crate) async fn import(
    application: Application,
    principal: Principal,
    _: NoQuery,
    body: Body,
) -> Answer<wire::ImportOutcome> {
    let request = ImportRequest {
        collections: body.decode(collections)?,
        actor: principal.actor(),
    };
    let outcome = application.import(&principal.organization, request).await?;
    Ok(Json(outcome.into()))
}

fn collections(body: &mut Object, violations: &mut Violations) -> Option<Vec<CollectionRef>> {
    let (lists, segments) = (body.take("listIds"), body.take("segmentIds").present());
    // Segments alone are an import too.
    let lists = if lists.is_absent() && segments.is_some() {
        Some(Vec::new())
    } else {
        refs(lists, CollectionKind::List, violations)
    };
    let segments = match segments {
        Some(segments) => refs(segments, CollectionKind::Segment, violations),
        None => Some(Vec::new()),
    };
    refuse_continuous(body, violations);
    Some([lists?, segments?].concat())
}

fn refs(
    node: Node,
    kind: CollectionKind,
    violations: &mut Violations,
) -> Option<Vec<CollectionRef>> {
    let ids: Vec<Option<CollectionRef>> = node
        .array(MAX_AT_ONCE, violations)?
        .into_iter()
        .map(|id| {
            let id = id.parsed(
                "id",
                "Klaviyo's id",
                |text: &str| CollectionId::parse(text),
                violations,
            )?;
            Some(CollectionRef { kind, id })
        })
        .collect();
    ids.into_iter().collect()
}

/// Audiences that sync by themselves are not built yet.
fn refuse_continuous(body: &mut Object, violations: &mut Violations) {
    if let Some(sync) = body.take("sync").present() {
        let built = |text: &str| match text {
            "ONE_TIME" => Ok(()),
            "CONTINUOUS" => Err("is not built yet; use ONE_TIME"),
            _ => Err("must be ONE_TIME"),
        };
        let _: Option<()> = sync.parsed("picklist", "ONE_TIME", built, violations);
    }
    let interval = body.take("refreshIntervalSeconds").present();
    if let Some(interval) = interval.and_then(Node::non_null) {
        interval.refuse(
            "check",
            "null",
            "is not built yet; leave it out, and sync by hand",
            violations,
        );
    }
}

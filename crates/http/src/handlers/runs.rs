//! `/api/sync-runs` and the runs of an audience.

use actix_web::web::Json;
use fanfare_domain::ids::{AudienceId, RunId};
use fanfare_domain::organization::Role::{Editor, Viewer};

use super::{Answer, Application};
use crate::decode::{Id, NoQuery, Nothing, OptionalBody, PageParameters, PagedQuery};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), of_audience),
        route!(SecretKey(Viewer), show),
        route!(SecretKey(Viewer), issues),
        route!(SecretKey(Editor), cancel),
    ]
}

/// List an audience's runs
///
/// The latest first: those that read its list or segment, and those that push it into its Klaviyo list.
#[utoipa::path(
    get, path = "/api/audiences/{id}/runs", tag = "Sync runs", operation_id = "getAudienceRuns",
    params(
        ("id" = String, Path, description = "The audience"),
        PageParameters,
    ),
    responses(
        (status = 200, description = "A page of runs", body = wire::Page<wire::Run>),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn of_audience(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    PagedQuery(_, page): PagedQuery<Nothing>,
) -> Answer<wire::Page<wire::Run>> {
    let page = application
        .all_runs(&principal.organization, &id.0, &page)
        .await?;
    let now = application.clock().now();
    Ok(Json(wire::Page::of(page, |run| wire::Run::of(run, now))))
}

/// Show a run
#[utoipa::path(
    get, path = "/api/sync-runs/{id}", tag = "Sync runs", operation_id = "getSyncRun",
    params(("id" = String, Path, description = "The run")),
    responses(
        (status = 200, description = "The run", body = wire::Run),
        (status = 404, description = "`SYNC_RUN_NOT_FOUND`"),
    ),
)]
async fn show(
    application: Application,
    principal: Principal,
    id: Id<RunId>,
    _: NoQuery,
) -> Answer<wire::Run> {
    let run = application.any_run(&principal.organization, &id.0).await?;
    Ok(Json(wire::Run::of(run, application.clock().now())))
}

/// List a run's issues
///
/// The records that were not taken as they were. They name a profile's id and nothing else of it.
#[utoipa::path(
    get, path = "/api/sync-runs/{id}/issues", tag = "Sync runs", operation_id = "getSyncRunIssues",
    params(
        ("id" = String, Path, description = "The run"),
        PageParameters,
    ),
    responses(
        (status = 200, description = "A page of issues", body = wire::Page<wire::Issue>),
        (status = 404, description = "`SYNC_RUN_NOT_FOUND`"),
    ),
)]
async fn issues(
    application: Application,
    principal: Principal,
    id: Id<RunId>,
    PagedQuery(_, page): PagedQuery<Nothing>,
) -> Answer<wire::Page<wire::Issue>> {
    let page = application
        .issues(&principal.organization, &id.0, &page)
        .await?;
    Ok(Json(wire::Page::of(page, wire::Issue::from)))
}

/// Cancel a run
///
/// It ends `FAILED` with the code `cancelled`. What it wrote stays.
#[utoipa::path(
    post, path = "/api/sync-runs/{id}/cancel", tag = "Sync runs", operation_id = "cancelSyncRun",
    params(("id" = String, Path, description = "The run")),
    responses(
        (status = 200, description = "The run as it ended", body = wire::Run),
        (status = 404, description = "`SYNC_RUN_NOT_FOUND`"),
        (status = 409, description = "`SYNC_RUN_FINISHED`: it has ended already"),
    ),
)]
async fn cancel(
    application: Application,
    principal: Principal,
    id: Id<RunId>,
    _: NoQuery,
    _: OptionalBody<Nothing>,
) -> Answer<wire::Run> {
    let run = application
        .cancel_any_run(&principal.organization, &id.0)
        .await?;
    Ok(Json(wire::Run::of(run, application.clock().now())))
}

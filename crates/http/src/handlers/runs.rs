//! `/api/sync-runs` and the runs of an audience.

use actix_web::web::Json;
use fanfare_domain::ids::{AudienceId, RunId};

use super::{Answer, Cases};
use crate::decode::{self, Body, Id, NoQuery, Query};
use crate::gate::By;
use crate::wire;

/// List an audience's runs
///
/// The latest first.
#[utoipa::path(
    get, path = "/api/audiences/{id}/runs", tag = "Sync runs", operation_id = "getAudienceRuns",
    params(
        ("id" = String, Path, description = "The audience"),
        decode::PageParams,
    ),
    responses(
        (status = 200, description = "A page of runs", body = wire::Page<wire::Run>),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
pub(crate) async fn of_audience(
    cases: Cases,
    by: By,
    id: Id<AudienceId>,
    query: Query,
) -> Answer<wire::Page<wire::Run>> {
    let page = query.decode(decode::page)?;
    let page = cases.runs(&by.organization, &id.0, &page).await?;
    let now = cases.clock().now();
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
pub(crate) async fn show(cases: Cases, by: By, id: Id<RunId>, _: NoQuery) -> Answer<wire::Run> {
    let run = cases.run(&by.organization, &id.0).await?;
    Ok(Json(wire::Run::of(run, cases.clock().now())))
}

/// List a run's issues
///
/// The records that were not taken as they were. They name a profile's id and nothing else of it.
#[utoipa::path(
    get, path = "/api/sync-runs/{id}/issues", tag = "Sync runs", operation_id = "getSyncRunIssues",
    params(
        ("id" = String, Path, description = "The run"),
        decode::PageParams,
    ),
    responses(
        (status = 200, description = "A page of issues", body = wire::Page<wire::Issue>),
        (status = 404, description = "`SYNC_RUN_NOT_FOUND`"),
    ),
)]
pub(crate) async fn issues(
    cases: Cases,
    by: By,
    id: Id<RunId>,
    query: Query,
) -> Answer<wire::Page<wire::Issue>> {
    let page = query.decode(decode::page)?;
    let page = cases.issues(&by.organization, &id.0, &page).await?;
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
pub(crate) async fn cancel(
    cases: Cases,
    by: By,
    id: Id<RunId>,
    _: NoQuery,
    body: Body,
) -> Answer<wire::Run> {
    body.decode_optional(|_, _| Some(()))?;
    let run = cases.cancel_run(&by.organization, &id.0).await?;
    Ok(Json(wire::Run::of(run, cases.clock().now())))
}

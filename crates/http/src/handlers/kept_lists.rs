//! `/api/audiences/{id}/klaviyo-list`: the Klaviyo list that an audience is kept in.

use actix_web::web::Json;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::organization::Role::{Admin, Editor, Viewer};

use super::{Answer, Application};
use crate::decode::{Body, Id, NoQuery, OptionalBody};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::openapi::KlaviyoRefusals;
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), show),
        route!(SecretKey(Admin), choose),
        route!(SecretKey(Viewer), preview),
        route!(SecretKey(Editor), push),
    ]
}

/// Show the Klaviyo list of an audience
///
/// The list that the audience is kept in, and how far that is.
#[utoipa::path(
    get, path = "/api/audiences/{id}/klaviyo-list", tag = "Audiences to Klaviyo", operation_id = "getAudienceKlaviyoList",
    params(("id" = String, Path, description = "The audience")),
    responses(
        (status = 200, description = "The list, or null", body = wire::KeptListAnswer),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn show(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
) -> Answer<wire::KeptListAnswer> {
    let kept = application
        .kept_list(&principal.organization, &id.0)
        .await?;
    Ok(Json(wire::KeptListAnswer::of(&id.0, kept)))
}

/// Choose the Klaviyo list of an audience
///
/// One that there is, a new one, or with `null` as the body none. Nothing is pushed before somebody has seen a preview and
/// confirmed it. With none, whoever is in the list stays there.
#[utoipa::path(
    put, path = "/api/audiences/{id}/klaviyo-list", tag = "Audiences to Klaviyo", operation_id = "setAudienceKlaviyoList",
    params(("id" = String, Path, description = "The audience")),
    request_body = Option<wire::ListChoiceBody>,
    responses(
        (status = 200, description = "What is chosen now", body = wire::KeptListAnswer),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`, `KLAVIYO_LIST_NOT_FOUND`"),
        (status = 409, description = "`CIRCULAR_SYNC`: the list feeds the audience; `KLAVIYO_LIST_TAKEN`; `AUDIENCE_ARCHIVED`"),
        KlaviyoRefusals,
    ),
)]
async fn choose(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
    body: Body<Option<wire::ListChoiceBody>>,
) -> Answer<wire::KeptListAnswer> {
    let choice = wire::choice_of(body.0);
    let (organization, actor) = (&principal.organization, principal.actor());
    let kept = application
        .choose_list(organization, &id.0, choice, &actor)
        .await?;
    Ok(Json(wire::KeptListAnswer::of(&id.0, kept)))
}

/// Preview a push
///
/// What a push of the audience into its Klaviyo list would do, above all which flows would mail how many people, and the text that confirms
/// it for 15 minutes.
#[utoipa::path(
    get, path = "/api/audiences/{id}/klaviyo-list/preview", tag = "Audiences to Klaviyo", operation_id = "previewAudiencePush",
    params(("id" = String, Path, description = "The audience")),
    responses(
        (status = 200, description = "What it would do", body = wire::PreviewAnswer),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`, `KLAVIYO_LIST_NOT_FOUND`"),
        (status = 409, description = "`AUDIENCE_ARCHIVED`"),
        KlaviyoRefusals,
    ),
)]
async fn preview(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
) -> Answer<wire::PreviewAnswer> {
    let shown = application
        .preview_push(&principal.organization, &id.0)
        .await?;
    Ok(Json(shown.into()))
}

/// Push an audience
///
/// Starts a run that makes the Klaviyo list what the audience is; from its success on, changes of the audience follow by
/// themselves. Only people whom Fanfare added are removed, and whom somebody took off the list by hand is not added again.
#[utoipa::path(
    post, path = "/api/audiences/{id}/klaviyo-list/push", tag = "Audiences to Klaviyo", operation_id = "pushAudience",
    params(("id" = String, Path, description = "The audience")),
    request_body = Option<wire::PushBody>,
    responses(
        (status = 200, description = "The run that was queued", body = wire::StartedPush),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`, `KLAVIYO_LIST_NOT_FOUND`"),
        (status = 409, description = "`CONFIRMATION_REQUIRED`: look at a preview and send its confirmation; `SYNC_IN_PROGRESS`; `AUDIENCE_ARCHIVED`"),
        KlaviyoRefusals,
    ),
)]
async fn push(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
    body: OptionalBody<wire::PushBody>,
) -> Answer<wire::StartedPush> {
    let confirmation = body.0.confirmation.map(String::from);
    let run = application
        .push_audience(&principal.organization, &id.0, confirmation.as_deref())
        .await?;
    Ok(Json(run.into()))
}

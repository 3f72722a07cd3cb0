//! Membership of an audience: the door, one consumer, and why.

use actix_web::web::Json;
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::organization::Role::Viewer;

use super::{Answer, Application};
use crate::decode::{Body, Id, IdWithin, NoQuery, Query};
use crate::middleware::Authentication::{Door, SecretKey};
use crate::middleware::{CheckLimit, Principal};
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(Door(Viewer), check),
        route!(SecretKey(Viewer), show_consumer),
        route!(SecretKey(Viewer), explain),
    ]
}

/// Check who may come in
///
/// Whether each of up to 100 people is a member, by our own rows alone. E-mails are compared in the form in which they are
/// stored; one that is no address is no member. An organization may ask for 100,000 people a minute, which count
/// apart from its requests. A revoked key is refused after a second at the latest.
#[utoipa::path(
    post, path = "/api/audiences/{id}/check", tag = "Audiences", operation_id = "checkAudience",
    params(("id" = String, Path, description = "The audience")),
    request_body = wire::CheckBody,
    responses(
        (status = 200, description = "An answer for each, in the order asked", body = wire::Check),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn check(
    application: Application,
    principal: Principal,
    limit: CheckLimit,
    id: Id<AudienceId>,
    _: NoQuery,
    body: Body<wire::CheckBody>,
) -> Answer<wire::Check> {
    let asked = body.0.into_asked();
    limit.count(&application, &principal, asked.len()).await?;
    let organization = &principal.organization;
    let checked = application.check(organization, &id.0, &asked).await?;
    Ok(Json(wire::Check::of(&id.0, asked, checked)))
}

/// Show whether a consumer is a member
#[utoipa::path(
    get, path = "/api/audiences/{id}/consumers/{consumerId}", tag = "Audiences",
    operation_id = "getAudienceConsumer",
    params(
        ("id" = String, Path, description = "The audience"),
        ("consumerId" = String, Path, description = "The consumer"),
    ),
    responses(
        (status = 200, description = "Whether it is a member", body = wire::Membership),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`, `CONSUMER_NOT_FOUND`"),
    ),
)]
async fn show_consumer(
    application: Application,
    principal: Principal,
    ids: IdWithin<AudienceId, ConsumerId>,
    _: NoQuery,
) -> Answer<wire::Membership> {
    let IdWithin(audience, consumer) = ids;
    let organization = &principal.organization;
    let is_member = application
        .is_member(organization, &audience, &consumer)
        .await?;
    Ok(Json(wire::Membership::of(is_member)))
}

/// Explain a membership
///
/// Why somebody is, or is not, a member: the reasons that our own rows give, the strongest first, each with what to do. With
/// `live=true` Klaviyo is asked whether the person is in the list now; while it cannot be asked, `live` is null with the
/// reason `live_unavailable`.
#[utoipa::path(
    get, path = "/api/audiences/{id}/explain", tag = "Audiences", operation_id = "explainAudienceMembership",
    params(
        ("id" = String, Path, description = "The audience"),
        wire::ExplainQuery,
    ),
    responses(
        (status = 200, description = "The reasons", body = wire::Explanation),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`, `CONSUMER_NOT_FOUND`"),
    ),
)]
async fn explain(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    query: Query<wire::ExplainQuery>,
) -> Answer<wire::Explanation> {
    let (whom, live) = query.0.into_whom()?;
    let explained = application
        .explain(&principal.organization, &id.0, &whom, live)
        .await?;
    Ok(Json(wire::Explanation::of(&id.0, explained)))
}

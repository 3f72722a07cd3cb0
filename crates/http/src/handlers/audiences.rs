//! `/api/audiences`.

use std::collections::BTreeMap;

use actix_web::web::Json;
use fanfare_domain::audience::{GroupType, MAX_NAME_CHARS};
use fanfare_domain::ids::AudienceId;
use fanfare_domain::organization::Role::{Editor, Viewer};
use fanfare_sync::{AudienceUpdate, Patch};

use super::{Answer, Application};
use crate::decode::{self, Body, Id, NoQuery, Node, Object, Query, Violations};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire;

/// What `include` can ask for. Rules and imports are always there.
const INCLUDES: [&str; 3] = ["rules", "imports", SOURCE];
const SOURCE: &str = "primarySyncSource";

const MAX_DESCRIPTION: usize = 10_000;
const MAX_TEXT: usize = 255;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), list),
        route!(SecretKey(Viewer), show),
        route!(SecretKey(Editor), update),
        route!(SecretKey(Editor), archive),
        route!(SecretKey(Editor), sync),
        route!(SecretKey(Viewer), members),
        route!(SecretKey(Viewer), count),
        route!(SecretKey(Viewer), status),
    ]
}

/// List the audiences
///
/// Those that are not archived, the oldest first.
#[utoipa::path(
    get, path = "/api/audiences", tag = "Audiences", operation_id = "getAudiences",
    params(
        decode::PageParams,
        decode::IncludeParams,
    ),
    responses((status = 200, description = "A page of audiences", body = wire::Page<wire::Audience>)),
)]
pub(crate) async fn list(
    application: Application,
    principal: Principal,
    query: Query,
) -> Answer<wire::Page<wire::Audience>> {
    let (page, with_source) = query.decode(|query, violations| {
        let page = decode::page(query, violations);
        let includes = decode::include(query, &INCLUDES, violations);
        Some((page?, includes?.contains(&SOURCE)))
    })?;
    let organization = &principal.organization;
    let page = application.audiences(organization, &page).await?;
    let show = |record| wire::Audience::of(organization, record, with_source);
    Ok(Json(wire::Page::of(page, show)))
}

/// Show an audience
///
/// Archived ones too.
#[utoipa::path(
    get, path = "/api/audiences/{id}", tag = "Audiences", operation_id = "getAudience",
    params(
        ("id" = String, Path, description = "The audience"),
        decode::IncludeParams,
    ),
    responses(
        (status = 200, description = "The audience", body = wire::Audience),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
pub(crate) async fn show(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    query: Query,
) -> Answer<wire::Audience> {
    let includes =
        query.decode(|query, violations| decode::include(query, &INCLUDES, violations))?;
    let record = application.audience(&principal.organization, &id.0).await?;
    let with_source = includes.contains(&SOURCE);
    Ok(Json(wire::Audience::of(
        &principal.organization,
        record,
        with_source,
    )))
}

/// Change an audience
///
/// Fields that are left out stay as they are; null takes a value away.
#[utoipa::path(
    put, path = "/api/audiences/{id}", tag = "Audiences", operation_id = "updateAudience",
    params(("id" = String, Path, description = "The audience")),
    request_body = wire::AudienceBody,
    responses(
        (status = 200, description = "The audience as it is now", body = wire::Audience),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
pub(crate) async fn update(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
    body: Body,
) -> Answer<wire::Audience> {
    let update = AudienceUpdate {
        actor: principal.actor(),
        ..body.decode(changes)?
    };
    let organization = &principal.organization;
    let record = application
        .update_audience(organization, &id.0, update)
        .await?;
    Ok(Json(wire::Audience::of(organization, record, false)))
}

/// Archive an audience
///
/// Its runs are cancelled and its members kept. The list can be imported again.
#[utoipa::path(
    delete, path = "/api/audiences/{id}", tag = "Audiences", operation_id = "deleteAudience",
    params(("id" = String, Path, description = "The audience")),
    responses(
        (status = 200, description = "The audience, archived", body = wire::Audience),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
pub(crate) async fn archive(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
) -> Answer<wire::Audience> {
    let organization = &principal.organization;
    let record = application
        .archive_audience(organization, &id.0, &principal.actor())
        .await?;
    Ok(Json(wire::Audience::of(organization, record, false)))
}

/// List the members
///
/// The consumers in the audience, the oldest first.
#[utoipa::path(
    get, path = "/api/audiences/{id}/members", tag = "Audiences", operation_id = "getAudienceMembers",
    params(
        ("id" = String, Path, description = "The audience"),
        decode::PageParams,
        ("search" = Option<String>, Query, description = "Part of an e-mail, phone number or name", min_length = 2, max_length = 255),
    ),
    responses(
        (status = 200, description = "A page of consumers", body = wire::Page<wire::Consumer>),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
pub(crate) async fn members(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    query: Query,
) -> Answer<wire::Page<wire::Consumer>> {
    let (page, search) = query.decode(|query, violations| {
        let page = decode::page(query, violations);
        let search = decode::search(query, violations);
        Some((page?, search?))
    })?;
    let organization = &principal.organization;
    let page = application
        .members(organization, &id.0, search.as_deref(), &page)
        .await?;
    let show = |consumer| wire::Consumer::of(organization, consumer);
    Ok(Json(wire::Page::of(page, show)))
}

/// Count the members
#[utoipa::path(
    get, path = "/api/audiences/{id}/count", tag = "Audiences", operation_id = "countAudienceMembers",
    params(("id" = String, Path, description = "The audience")),
    responses(
        (status = 200, description = "The count", body = wire::Count),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
pub(crate) async fn count(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
) -> Answer<wire::Count> {
    let count = application
        .member_count(&principal.organization, &id.0)
        .await?;
    Ok(Json(wire::Count::of(&id.0, count)))
}

/// Show where the sync stands
#[utoipa::path(
    get, path = "/api/audiences/{id}/status", tag = "Audiences", operation_id = "getAudienceStatus",
    params(("id" = String, Path, description = "The audience")),
    responses(
        (status = 200, description = "The status", body = wire::Status),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
pub(crate) async fn status(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
) -> Answer<wire::Status> {
    let status = application
        .audience_status(&principal.organization, &id.0)
        .await?;
    Ok(Json(status.into()))
}

/// Sync an audience
///
/// Queues a full pass over its list. However many ask at once, one run comes of it.
#[utoipa::path(
    post, path = "/api/audiences/{id}/sync", tag = "Audiences", operation_id = "syncAudience",
    params(("id" = String, Path, description = "The audience")),
    request_body = Option<wire::SyncBody>,
    responses(
        (status = 200, description = "The run that was queued", body = wire::StartedSync),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
        (status = 409, description = "`SYNC_IN_PROGRESS`: a run is queued or under way"),
    ),
)]
pub(crate) async fn sync(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
    body: Body,
) -> Answer<wire::StartedSync> {
    let confirm =
        body.decode_optional(
            |body, violations| match body.take("confirmRemovals").present() {
                Some(confirm) => confirm.boolean(violations),
                None => Some(false),
            },
        )?;
    let started = application
        .sync_audience(&principal.organization, &id.0, confirm)
        .await?;
    Ok(Json(started.into()))
}

fn changes(body: &mut Object, violations: &mut Violations) -> Option<AudienceUpdate> {
    let name = match body.take("name").present() {
        Some(name) => name.text(1..=MAX_NAME_CHARS, violations).map(Some),
        None => Some(None),
    };
    let mut text = |name, max, violations: &mut Violations| {
        patch(body.take(name), |text| text.text(0..=max, violations))
    };
    let description = text("description", MAX_DESCRIPTION, violations);
    let icon_name = text("iconName", MAX_TEXT, violations);
    let group_id = text("groupId", MAX_TEXT, violations);
    let group_name = text("groupName", MAX_TEXT, violations);
    let group_type = patch(body.take("groupType"), |group| {
        let words: Vec<_> = GroupType::ALL.iter().map(|g| (g.as_str(), *g)).collect();
        group.word(&words, violations)
    });
    let metadata = patch(body.take("metadata"), |metadata| {
        metadata_of(metadata, violations)
    });
    let last_refreshed_at = patch(body.take("lastRefreshedAt"), |time| {
        time.instant(violations)
    });
    let refresh_interval_seconds = patch(body.take("refreshIntervalSeconds"), |interval| {
        interval.refuse(
            "check",
            "null",
            "is not built yet; null is for manual only",
            violations,
        );
        None
    });
    if let Some(kind) = body.take("type").present() {
        let _: Option<()> = kind.word(&[("SYNCED_LIST", ())], violations);
    }
    Some(AudienceUpdate {
        name: name?,
        description: description?,
        icon_name: icon_name?,
        metadata: metadata?,
        group_id: group_id?,
        group_name: group_name?,
        group_type: group_type?,
        last_refreshed_at: last_refreshed_at?,
        refresh_interval_seconds: refresh_interval_seconds?,
        actor: String::new(),
    })
}

/// A field that may be left out, or be null.
fn patch<T>(node: Node, decode: impl FnOnce(Node) -> Option<T>) -> Option<Patch<T>> {
    let Some(node) = node.present() else {
        return Some(Patch::Keep);
    };
    match node.non_null() {
        Some(node) => decode(node).map(|value| Patch::Set(Some(value))),
        None => Some(Patch::Set(None)),
    }
}

/// Any members, as JSON text by name.
fn metadata_of(node: Node, violations: &mut Violations) -> Option<BTreeMap<String, String>> {
    let members = node.storable_members(violations)?;
    let text = |(name, value): (String, serde_json::Value)| (name, value.to_string());
    Some(members.into_iter().map(text).collect())
}

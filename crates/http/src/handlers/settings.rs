//! `/api/settings`.

use actix_web::web::Json;
use fanfare_domain::organization::Role::{Admin, Editor};

use super::{Answer, Application};
use crate::decode::{Body, NoQuery};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::openapi::KlaviyoRefusals;
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Editor), show),
        route!(SecretKey(Admin), update),
    ]
}

/// Show the settings
///
/// The Klaviyo API key is never shown, only its last four characters.
#[utoipa::path(
    get, path = "/api/settings", tag = "Settings", operation_id = "getSettings",
    responses((status = 200, description = "The settings", body = wire::Settings)),
)]
async fn show(
    application: Application,
    principal: Principal,
    _: NoQuery,
) -> Answer<wire::Settings> {
    let settings = application.settings(&principal.organization).await?;
    Ok(Json(settings.into()))
}

/// Connect or disconnect Klaviyo, and choose what it is told
///
/// A key is verified with Klaviyo before it is stored: it must be allowed to read lists and
/// profiles. If it is not, or Klaviyo cannot be reached, nothing changes. Events are sent once they are switched on; metrics
/// that are left out stay as they are. Contacts are sent once they are switched on, for which the key needs the scope
/// `profiles:write`; what was changed before is not sent.
#[utoipa::path(
    put, path = "/api/settings", tag = "Settings", operation_id = "updateSettings",
    request_body = wire::SettingsBody,
    responses(
        (status = 200, description = "The settings as they are now", body = wire::Settings),
        (status = 409, description = "`KLAVIYO_ACCOUNT_DIFFERS`: the key is of another Klaviyo account than the one connected; send `confirmAccountChange`"),
        KlaviyoRefusals,
    ),
)]
async fn update(
    application: Application,
    principal: Principal,
    _: NoQuery,
    body: Body<wire::SettingsBody>,
) -> Answer<wire::Settings> {
    let organization = &principal.organization;
    let settings = match body.0.into() {
        wire::SettingsChange::Disconnect => application.disconnect(organization).await?,
        wire::SettingsChange::Change {
            connect,
            events,
            contacts,
            push_limit,
        } => {
            if let Some(request) = connect {
                application.connect(organization, request).await?;
            }
            if let Some(update) = contacts {
                application.update_contacts(organization, update).await?;
            }
            if let Some(limit) = push_limit {
                application.set_push_limit(organization, limit).await?;
            }
            match events {
                Some(update) => application.update_events(organization, update).await?,
                None => application.settings(organization).await?,
            }
        }
    };
    Ok(Json(settings.into()))
}

//! `/api/settings`.

use actix_web::web::Json;
use fanfare_domain::connection::ApiKey;
use fanfare_sync::ConnectRequest;
use secrecy::SecretString;

use super::{Answer, Cases};
use crate::decode::{Body, Faults, NoQuery, Object};
use crate::gate::By;
use crate::wire;

/// Show the settings
///
/// The Klaviyo API key is never shown, only its last four characters.
#[utoipa::path(
    get, path = "/api/settings", tag = "Settings", operation_id = "getSettings",
    responses((status = 200, description = "The settings", body = wire::Settings)),
)]
pub(crate) async fn show(cases: Cases, by: By, _: NoQuery) -> Answer<wire::Settings> {
    let settings = cases.settings(&by.organization).await?;
    Ok(Json(settings.into()))
}

/// Connect or disconnect Klaviyo
///
/// A key is verified with Klaviyo before it is stored: it must be allowed to read lists and
/// profiles. If it is not, or Klaviyo cannot be reached, the key stored before stays as it was.
#[utoipa::path(
    put, path = "/api/settings", tag = "Settings", operation_id = "updateSettings",
    request_body = wire::SettingsBody,
    responses(
        (status = 200, description = "The settings as they are now", body = wire::Settings),
        (status = 409, description = "`KLAVIYO_ACCOUNT_DIFFERS`: the key is of another Klaviyo account than the one connected; send `confirmAccountChange`"),
    ),
)]
pub(crate) async fn update(cases: Cases, by: By, _: NoQuery, body: Body) -> Answer<wire::Settings> {
    let settings = match body.decode(change)? {
        Change::Connect(request) => cases.connect(&by.organization, request).await?,
        Change::Disconnect => cases.disconnect(&by.organization).await?,
    };
    Ok(Json(settings.into()))
}

enum Change {
    Connect(ConnectRequest),
    Disconnect,
}

fn change(body: &mut Object, faults: &mut Faults) -> Option<Change> {
    let Some(klaviyo) = body.take("klaviyo").masked().non_null() else {
        return Some(Change::Disconnect);
    };
    let mut klaviyo = klaviyo.object(faults)?;
    let key = |text: &str| ApiKey::parse(&SecretString::from(text));
    let api_key = klaviyo.take("apiKey").parsed("key", "pk_…", key, faults);
    let confirm = match klaviyo.take("confirmAccountChange").present() {
        Some(confirm) => confirm.boolean(faults),
        None => Some(false),
    };
    klaviyo.finish(faults);
    Some(Change::Connect(ConnectRequest {
        api_key: api_key?,
        confirm_account_change: confirm?,
    }))
}

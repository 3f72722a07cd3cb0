//! Fanfare's webhooks: `/api/webhooks/fanfare/{organizationId}`, and what they are signed with.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Data, Json, Path};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::organization::Role::Admin;
use fanfare_sync::{Error, Webhook};
use secrecy::ExposeSecret;

use super::{Answer, Application};
use crate::decode::{NoQuery, SignedBody};
use crate::error::{ApiError, Key, Violation, Violations};
use crate::middleware::{Authentication, Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::server::PublicUrl;
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Admin), rotate),
        route!(Authentication::None, receive),
    ]
}

const TIMESTAMP: &str = "X-Fanfare-Timestamp";
const SIGNATURE: &str = "X-Fanfare-Signature";

/// Make the secret of the webhooks
///
/// Gives the address to enter in Fanfare and a new secret, which is shown this once. The secret of before is good for another
/// 24 hours.
#[utoipa::path(
    post, path = "/api/settings/fanfare-webhook", tag = "Settings", operation_id = "rotateFanfareWebhook",
    responses((status = 200, description = "The address and the secret", body = wire::WebhookAddress)),
)]
async fn rotate(
    application: Application,
    principal: Principal,
    request: HttpRequest,
    _: NoQuery,
) -> Answer<wire::WebhookAddress> {
    let organization = &principal.organization;
    let secret = application.rotate_webhook_secret(organization).await?;
    Ok(Json(wire::WebhookAddress {
        url: webhook_address(&request, organization),
        secret: secret.expose_secret().to_owned(),
    }))
}

/// The address of an organization's webhooks: where others reach the API, or where the request says that they do.
pub fn webhook_address(request: &HttpRequest, organization: &OrganizationId) -> String {
    let base = request.app_data::<Data<PublicUrl>>();
    let base = base.and_then(|url| url.0.clone()).unwrap_or_else(|| {
        let connection = request.connection_info();
        format!("{}://{}", connection.scheme(), connection.host())
    });
    format!("{base}/api/webhooks/fanfare/{organization}")
}

/// Take a webhook of Fanfare's
///
/// Signed as Fanfare signs: `X-Fanfare-Signature` is `sha256=` and the HMAC-SHA-256, in hexadecimal digits, of
/// `X-Fanfare-Timestamp`, a full stop and the body. A signature is good for five minutes. The event is durable before the answer;
/// sent twice it is one event.
#[utoipa::path(
    post, path = "/api/webhooks/fanfare/{organizationId}", tag = "Webhooks", operation_id = "receiveFanfareWebhook",
    params(
        ("organizationId" = String, Path, description = "The organization"),
        ("X-Fanfare-Timestamp" = String, Header, description = "When it was signed, in seconds since 1970"),
        ("X-Fanfare-Signature" = String, Header, description = "`sha256=` and 64 hexadecimal digits"),
    ),
    request_body = wire::WebhookBody,
    responses(
        (status = 200, description = "It is durable", body = wire::ReceivedWebhook),
        (status = 400, description = "`VALIDATION_FAILED`: a header is missing, or the body is no envelope"),
        (status = 401, description = "`INVALID_SIGNATURE`: it is not signed by a secret of this organization's, or not within the last five minutes, or there is no such organization"),
        (status = 413, description = "`PAYLOAD_TOO_LARGE`: the body has more than 1 MB"),
        (status = 503, description = "`SERVICE_UNAVAILABLE`: send it again"),
    ),
)]
async fn receive(
    application: Application,
    organization: Path<String>,
    request: HttpRequest,
    body: SignedBody,
) -> Answer<wire::ReceivedWebhook> {
    let headers = request.headers();
    let mut missing = Violations::default();
    for name in [TIMESTAMP, SIGNATURE] {
        if !headers.contains_key(name) {
            let path = vec![Key::Name(name.to_owned())];
            let message = "is required: a header";
            missing.add(Violation::new(
                path,
                "string",
                "string",
                "undefined",
                message,
            ));
        }
    }
    if !missing.is_empty() {
        return Err(ApiError::invalid(&missing));
    }
    // A text that can be no id is one of no organization.
    let organization = OrganizationId::parse(organization.into_inner());
    let organization = organization.map_err(|_| Error::SignatureInvalid)?;
    let webhook = Webhook {
        timestamp: text(headers, TIMESTAMP),
        signature: text(headers, SIGNATURE),
        body: &body.bytes,
    };
    let received = application.receive_webhook(&organization, webhook).await?;
    Ok(Json(received.into()))
}

/// A header's text; nothing, which signs nothing, if it is none.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

//! What is done with the connection: connect or replace the key, sync all, disconnect.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use fanfare_domain::connection::ApiKey;
use fanfare_sync::{ConnectRequest, Error, Integration};
use maud::html;
use secrecy::SecretString;

use super::{PATH, Sheet, answer};
use crate::components::button_form;
use crate::error::PageError;
use crate::fields::{Fields, Form};
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(POST Admin "/app/settings/integrations/klaviyo", connect),
        page!(POST Editor "/app/settings/integrations/klaviyo/force-sync", force_sync),
        page!(GET Admin "/app/settings/integrations/klaviyo/disconnect", ask_to_disconnect),
        page!(POST Admin "/app/settings/integrations/klaviyo/disconnect", disconnect),
    ]
}

async fn connect(
    application: Data<Integration>,
    visitor: Visitor,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let Form(typed) = form;
    let organization = visitor.organization();
    let was_connected = application
        .settings(organization)
        .await?
        .connection
        .is_some();
    let key = SecretString::from(typed.text("apiKey").unwrap_or_default());
    let api_key = match ApiKey::parse(&key) {
        Ok(key) => key,
        Err(fault) => {
            let sheet = Sheet {
                fault: Some(sentence(&fault.to_string())),
                is_updating: true,
                asks_for_account_change: false,
            };
            return refuse(&application, &visitor, sheet, StatusCode::BAD_REQUEST).await;
        }
    };
    let request = ConnectRequest {
        api_key,
        confirm_account_change: typed.get("confirmAccountChange") == Some("true"),
    };
    match application.connect(organization, request).await {
        Ok(_) if was_connected => Ok(see(&format!("{PATH}?notice=updated"))),
        Ok(_) => Ok(see(&format!("{PATH}?notice=connected"))),
        // What the visitor can mend in the sheet, is told in the sheet.
        Err(
            error @ (Error::KeyRejected
            | Error::ScopeMissing(_)
            | Error::AccountDiffers { .. }
            | Error::KlaviyoUnreachable(_)
            | Error::KlaviyoThrottled(_)),
        ) => {
            let asks_for_account_change = matches!(error, Error::AccountDiffers { .. });
            let told = PageError::from(error).told();
            let sheet = Sheet {
                fault: Some(format!("{}. {}", told.heading, told.text)),
                is_updating: true,
                asks_for_account_change,
            };
            refuse(&application, &visitor, sheet, told.status).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn refuse(
    application: &Integration,
    visitor: &Visitor,
    sheet: Sheet,
    status: StatusCode,
) -> Result<HttpResponse, PageError> {
    answer(
        application,
        visitor,
        &Fields::default(),
        Some(sheet),
        status,
    )
    .await
}

/// A message of the domain's with a capital letter and a full stop.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", letters.as_str())
}

async fn force_sync(
    application: Data<Integration>,
    visitor: Visitor,
    _: Form,
) -> Result<HttpResponse, PageError> {
    let queued = application
        .sync_all_audiences(visitor.organization())
        .await?;
    Ok(see(&format!("{PATH}?notice=synced&count={queued}")))
}

async fn ask_to_disconnect(visitor: Visitor) -> HttpResponse {
    let body = html! {
        div.head { h1 { "Disconnect Klaviyo?" } }
        section.panel {
            ul {
                li { "The stored API key is deleted for good." }
                li { "Syncs that are under way are cancelled." }
                li { "Continuous audiences no longer sync, also after connecting again, until you turn them on." }
                li { "Audiences and their members stay as they are." }
                li { "Events and changed contacts that wait are kept. They are sent when a key of the same Klaviyo account is connected, and dropped when it is one of another account." }
            }
            div.actions {
                (button_form(&visitor, &format!("{PATH}/klaviyo/disconnect"), "danger", "Disconnect", &[]))
                a.button.quiet href={ (PATH) "?sheet=klaviyo" } { "Stay connected" }
            }
        }
    };
    visitor.page("Disconnect Klaviyo", Section::Settings, &body)
}

async fn disconnect(
    application: Data<Integration>,
    visitor: Visitor,
    _: Form,
) -> Result<HttpResponse, PageError> {
    application.disconnect(visitor.organization()).await?;
    Ok(see(&format!("{PATH}?notice=disconnected")))
}

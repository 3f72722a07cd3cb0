//! `fanfare klaviyo connect`, and how a connection is shown.

use std::process::ExitCode;

use anyhow::Result;
use fanfare_sync::{ConnectRequest, Settings};

use crate::args::Of;
use crate::explain::explain;
use crate::operator::Operator;
use crate::output::{say, say_json};
use crate::{secret, wire};

pub(super) async fn connect(
    operator: &Operator,
    of: &Of,
    confirm_account_change: bool,
) -> Result<ExitCode> {
    let organization = operator.organization(of).await?;
    let request = ConnectRequest {
        api_key: secret::klaviyo_key()?,
        confirm_account_change,
    };
    let settings = operator.integration().connect(&organization, request).await;
    let settings = settings.map_err(explain)?;
    if operator.json {
        say_json(&wire::settings(&settings))?;
    } else {
        show(&settings)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the connection for people.
pub(super) fn show(settings: &Settings) -> Result<()> {
    let Some(connection) = &settings.connection else {
        return say("Klaviyo is not connected; `fanfare klaviyo connect` connects it.");
    };
    let account = connection.account.as_ref();
    say(format!(
        "Klaviyo  {}  key {}  account {}  verified {}",
        connection.status.as_str(),
        wire::masked(&connection.last4),
        account.map_or("unknown", |account| account.as_str()),
        connection.verified_at
    ))?;
    if let Some(message) = &connection.message {
        say(message)?;
    }
    if !connection.missing_scopes.is_empty() {
        say(format!(
            "The key lacks {}, which only optional features need.",
            connection.missing_scopes.join(", ")
        ))?;
    }
    Ok(())
}

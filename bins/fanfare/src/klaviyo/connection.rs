//! `fanfare klaviyo connect`, and how a connection is shown.

use std::process::ExitCode;

use anyhow::Result;
use fanfare_sync::{ConnectRequest, Settings};

use crate::args::OrganizationOption;
use crate::context::CommandContext;
use crate::errors::explain;
use crate::output::{print_json, print_line};
use crate::{api_json, secret};

pub(super) async fn connect(
    context: &CommandContext,
    of: &OrganizationOption,
    confirm_account_change: bool,
) -> Result<ExitCode> {
    let organization = context.organization(of).await?;
    let request = ConnectRequest {
        api_key: secret::klaviyo_key()?,
        confirm_account_change,
    };
    let settings = context.integration().connect(&organization, request).await;
    let settings = settings.map_err(explain)?;
    if context.json {
        print_json(&api_json::settings(&settings))?;
    } else {
        show(&settings)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the connection as text.
pub(super) fn show(settings: &Settings) -> Result<()> {
    let Some(connection) = &settings.connection else {
        return print_line("Klaviyo is not connected; `fanfare klaviyo connect` connects it.");
    };
    let account = connection.account.as_ref();
    print_line(format!(
        "Klaviyo  {}  key {}  account {}  verified {}",
        connection.status.as_str(),
        api_json::masked(&connection.last4),
        account.map_or("unknown", |account| account.as_str()),
        connection.verified_at
    ))?;
    if let Some(message) = &connection.message {
        print_line(message)?;
    }
    if !connection.missing_scopes.is_empty() {
        print_line(format!(
            "The key lacks {}, which only optional features need.",
            connection.missing_scopes.join(", ")
        ))?;
    }
    Ok(())
}

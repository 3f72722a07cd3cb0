//! `fanfare events`: plays Fanfare's part.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use fanfare_domain::ids::OrganizationId;
use fanfare_sync::{Error as SyncError, Received, Webhook};
use serde_json::{Map, Value, json};

use crate::args::{EventsCommand, SendEvent};
use crate::context::CommandContext;
use crate::errors;
use crate::output::{print_json, print_line};

pub(crate) async fn run(context: &CommandContext, command: EventsCommand) -> Result<ExitCode> {
    match command {
        EventsCommand::Send(event) => send(context, event).await,
    }
}

async fn send(context: &CommandContext, event: SendEvent) -> Result<ExitCode> {
    let integration = context.integration();
    let organization = context.organization(&event.of).await?;
    let now = integration.clock().now();
    let id = event
        .id
        .unwrap_or_else(|| format!("whk_{}", integration.ids().ulid()));
    let mut data: Map<String, Value> = match &event.data {
        None => Map::new(),
        Some(text) => serde_json::from_str(text).context("--data must be a JSON object")?,
    };
    if let Some(consumer) = &event.consumer {
        data.insert("consumerId".to_owned(), consumer.as_str().into());
    }
    let body = json!({
        "id": id, "type": event.event_type, "timestamp": now.to_string(),
        "organizationId": organization.as_str(), "data": data,
    });
    let body = body.to_string();
    let timestamp = (now.as_micros() / 1_000_000).to_string();
    let signature = integration
        .sign_webhook(&organization, &timestamp, body.as_bytes())
        .await
        .map_err(explain)?;
    let webhook = Webhook {
        timestamp: &timestamp,
        signature: &signature,
        body: body.as_bytes(),
    };
    let (accepted, duplicate) = if let Some(base) = &event.to {
        post(base, &organization, webhook)?
    } else {
        let received = integration.receive_webhook(&organization, webhook).await;
        let Received {
            accepted,
            duplicate,
        } = received.map_err(explain)?;
        (accepted, duplicate)
    };
    if context.json {
        print_json(&json!({"id": id, "accepted": accepted, "duplicate": duplicate}))?;
    } else if duplicate {
        print_line(format!("{id} had come before: nothing more is made of it"))?;
    } else {
        print_line(format!("{id} was accepted"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends the webhook to an API, as Fanfare does.
fn post(base: &str, organization: &OrganizationId, webhook: Webhook<'_>) -> Result<(bool, bool)> {
    let base = base.trim_end_matches('/');
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent = ureq::Agent::new_with_config(config.build());
    let answer = agent
        .post(format!("{base}/api/webhooks/fanfare/{organization}"))
        .header("content-type", "application/json")
        .header("x-fanfare-timestamp", webhook.timestamp)
        .header("x-fanfare-signature", webhook.signature)
        .send(webhook.body);
    let mut answer = answer.context("the API cannot be reached")?;
    let status = answer.status();
    let told: Value = answer.body_mut().read_json().unwrap_or_default();
    if !status.is_success() {
        bail!("the API answers {status}: {}", told["error"]);
    }
    let is = |member: &str| told[member] == true;
    Ok((is("accepted"), is("duplicate")))
}

fn explain(error: SyncError) -> anyhow::Error {
    match error {
        SyncError::NoWebhookSecret => anyhow!(
            "the organization's webhooks have no secret; make one with POST /api/settings/fanfare-webhook"
        ),
        other => errors::explain(other),
    }
}

//! `fanfare org`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::organization::Organization;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::args::OrgCommand;
use crate::explain::explain;
use crate::operator::Operator;
use crate::output::{say, say_json, table};

/// Organizations read at once.
const PAGE: u32 = 100;

pub(crate) async fn run(operator: &Operator, command: OrgCommand) -> Result<ExitCode> {
    match command {
        OrgCommand::Create { name } => create(operator, &name).await?,
        OrgCommand::List => list(operator).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(operator: &Operator, name: &str) -> Result<()> {
    let new = operator.integration().create_organization(name).await;
    let new = new.map_err(explain)?;
    let secret = new.secret.expose_secret();
    if operator.json {
        return say_json(&json!({"organizationId": new.organization, "secretKey": secret}));
    }
    say(format!("Organization  {}", new.organization))?;
    say(format!("Secret key    {secret}"))?;
    say("The secret key is not shown again: keep it now.")
}

async fn list(operator: &Operator) -> Result<()> {
    let organizations = all(operator).await?;
    if operator.json {
        let organizations: Vec<Value> = organizations
            .iter()
            .map(|organization| {
                json!({
                    "organizationId": organization.id,
                    "name": organization.name,
                    "createdAt": organization.created_at.to_string(),
                })
            })
            .collect();
        return say_json(&organizations.into());
    }
    let mut rows = table(&["Organization", "Name", "Made"]);
    for organization in organizations {
        let Organization {
            id,
            name,
            created_at,
        } = organization;
        rows.add_row([id.to_string(), name, created_at.to_string()]);
    }
    say(rows)
}

/// All organizations.
pub(crate) async fn all(operator: &Operator) -> Result<Vec<Organization>> {
    let mut all: Vec<Organization> = Vec::new();
    loop {
        let after = all.last().map(|last| last.id.clone());
        let page = operator.integration().organizations(PAGE, after.as_ref());
        let page = page.await.map_err(explain)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

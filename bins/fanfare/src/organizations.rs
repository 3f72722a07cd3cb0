//! `fanfare org`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::organization::Organization;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::args::OrgCommand;
use crate::context::CommandContext;
use crate::errors::explain;
use crate::output::{print_json, print_line, table};

/// Organizations read at once.
const PAGE: u32 = 100;

pub(crate) async fn run(context: &CommandContext, command: OrgCommand) -> Result<ExitCode> {
    match command {
        OrgCommand::Create { name } => create(context, &name).await?,
        OrgCommand::List => list(context).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(context: &CommandContext, name: &str) -> Result<()> {
    let new = context.integration().create_organization(name).await;
    let new = new.map_err(explain)?;
    let secret = new.secret.expose_secret();
    if context.json {
        return print_json(&json!({"organizationId": new.organization, "secretKey": secret}));
    }
    print_line(format!("Organization  {}", new.organization))?;
    print_line(format!("Secret key    {secret}"))?;
    print_line("The secret key is not shown again: keep it now.")
}

async fn list(context: &CommandContext) -> Result<()> {
    let organizations = all(context).await?;
    if context.json {
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
        return print_json(&organizations.into());
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
    print_line(rows)
}

/// All organizations.
pub(crate) async fn all(context: &CommandContext) -> Result<Vec<Organization>> {
    let (mut all, mut pages) = (Vec::new(), Pages::of(context));
    while let Some(page) = pages.next().await? {
        all.extend(page);
    }
    Ok(all)
}

/// Reads all organizations by id, a page at a time.
pub(crate) struct Pages<'a> {
    context: &'a CommandContext,
    after: Option<OrganizationId>,
}

impl<'a> Pages<'a> {
    pub(crate) const fn of(context: &'a CommandContext) -> Self {
        Self {
            context,
            after: None,
        }
    }

    /// The next page. `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Organization>>> {
        let integration = self.context.integration();
        let page = integration.organizations(PAGE, self.after.as_ref()).await;
        let page = page.map_err(explain)?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        self.after = Some(last.id.clone());
        Ok(Some(page))
    }
}

//! `fanfare key`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::organization::{KeyKind, Role};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::args::{KeyCommand, OrganizationOption};
use crate::context::CommandContext;
use crate::errors::explain;
use crate::output::{or_dash, print_json, print_line, table};

pub(crate) async fn run(context: &CommandContext, command: KeyCommand) -> Result<ExitCode> {
    match command {
        KeyCommand::Create { of, role, test } => {
            let kind = if test { KeyKind::Test } else { KeyKind::Live };
            create(context, &of, role, kind).await?;
        }
        KeyCommand::List { of } => list(context, &of).await?,
        KeyCommand::Revoke { of, key } => {
            let organization = context.organization(&of).await?;
            let revoked = context.integration().revoke_key(&organization, &key).await;
            revoked.map_err(explain)?;
            if context.json {
                print_json(&json!({"keyId": key, "revoked": true}))?;
            } else {
                print_line(format!("{key} is revoked"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(
    context: &CommandContext,
    of: &OrganizationOption,
    role: Role,
    kind: KeyKind,
) -> Result<()> {
    let organization = context.organization(of).await?;
    let integration = context.integration();
    let new = integration.create_key(&organization, role, kind).await;
    let new = new.map_err(explain)?;
    let secret = new.secret.expose_secret();
    if context.json {
        return print_json(&json!({"keyId": new.id, "secretKey": secret}));
    }
    print_line(format!("Key         {}", new.id))?;
    print_line(format!("Secret key  {secret}"))?;
    print_line("The secret key is not shown again: keep it now.")
}

async fn list(context: &CommandContext, of: &OrganizationOption) -> Result<()> {
    let organization = context.organization(of).await?;
    let keys = context.integration().keys(&organization).await;
    let keys = keys.map_err(explain)?;
    if context.json {
        let keys: Vec<Value> = keys
            .iter()
            .map(|key| {
                json!({
                    "keyId": key.id,
                    "role": key.role.as_str(),
                    "kind": key.kind.as_str(),
                    "createdAt": key.created_at.to_string(),
                    "revokedAt": key.revoked_at.map(|at| at.to_string()),
                })
            })
            .collect();
        return print_json(&keys.into());
    }
    let mut rows = table(&["Key", "Role", "Kind", "Made", "Revoked"]);
    for key in keys {
        rows.add_row([
            key.id.to_string(),
            key.role.as_str().to_owned(),
            key.kind.as_str().to_owned(),
            key.created_at.to_string(),
            or_dash(key.revoked_at),
        ]);
    }
    print_line(rows)
}

//! `fanfare key`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::organization::{KeyKind, Role};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::args::{KeyCommand, Of};
use crate::explain::explain;
use crate::operator::Operator;
use crate::output::{or_dash, say, say_json, table};

pub(crate) async fn run(operator: &Operator, command: KeyCommand) -> Result<ExitCode> {
    match command {
        KeyCommand::Create { of, role, test } => {
            let kind = if test { KeyKind::Test } else { KeyKind::Live };
            create(operator, &of, role, kind).await?;
        }
        KeyCommand::List { of } => list(operator, &of).await?,
        KeyCommand::Revoke { of, key } => {
            let organization = operator.organization(&of).await?;
            let revoked = operator.integration().revoke_key(&organization, &key).await;
            revoked.map_err(explain)?;
            if operator.json {
                say_json(&json!({"keyId": key, "revoked": true}))?;
            } else {
                say(format!("{key} is revoked"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(operator: &Operator, of: &Of, role: Role, kind: KeyKind) -> Result<()> {
    let organization = operator.organization(of).await?;
    let integration = operator.integration();
    let new = integration.create_key(&organization, role, kind).await;
    let new = new.map_err(explain)?;
    let secret = new.secret.expose_secret();
    if operator.json {
        return say_json(&json!({"keyId": new.id, "secretKey": secret}));
    }
    say(format!("Key         {}", new.id))?;
    say(format!("Secret key  {secret}"))?;
    say("The secret key is not shown again: keep it now.")
}

async fn list(operator: &Operator, of: &Of) -> Result<()> {
    let organization = operator.organization(of).await?;
    let keys = operator.integration().keys(&organization).await;
    let keys = keys.map_err(explain)?;
    if operator.json {
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
        return say_json(&keys.into());
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
    say(rows)
}

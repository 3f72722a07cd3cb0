//! `fanfare restored`: looks through the secret keys of a store that was restored from a backup.

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::organization::SecretKey;
use serde_json::{Value, json};

use crate::context::CommandContext;
use crate::errors::explain;
use crate::organizations;
use crate::output::{print_json, print_line, table};

pub(crate) async fn run(context: &CommandContext, revokes_keys: bool) -> Result<ExitCode> {
    let keys = valid_keys(context).await?;
    if revokes_keys {
        for key in &keys {
            let revoked = context.integration().revoke_key(&key.organization, &key.id);
            revoked.await.map_err(explain)?;
        }
    }
    // Only now: until every key was looked at, the warning stays.
    context.app().accept_store_place().await?;
    if context.json {
        print_json(&as_json(&keys, revokes_keys))?;
    } else {
        show(&keys, revokes_keys)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The secret keys of all organizations that open the API.
async fn valid_keys(context: &CommandContext) -> Result<Vec<SecretKey>> {
    let (mut valid, mut pages) = (Vec::new(), organizations::Pages::of(context));
    while let Some(page) = pages.next().await? {
        for organization in page {
            let keys = context.integration().keys(&organization.id).await;
            let keys = keys.map_err(explain)?.into_iter();
            valid.extend(keys.filter(|key| key.revoked_at.is_none()));
        }
    }
    Ok(valid)
}

fn show(keys: &[SecretKey], were_revoked: bool) -> Result<()> {
    let mut rows = table(&["Organization", "Key", "Role", "Kind", "Made"]);
    for key in keys {
        rows.add_row([
            key.organization.to_string(),
            key.id.to_string(),
            key.role.as_str().to_owned(),
            key.kind.as_str().to_owned(),
            key.created_at.to_string(),
        ]);
    }
    print_line(rows)?;
    if were_revoked {
        return print_line(format!(
            "These {} keys were revoked: make new ones with `fanfare key create --org ID --role ROLE`.",
            keys.len()
        ));
    }
    print_line(format!(
        "These {} keys open the API. Revoke those that were revoked after the backup was made: `fanfare key revoke \
         --org ID KEY`. `fanfare restored --revoke-keys` revokes all of them.",
        keys.len()
    ))
}

fn as_json(keys: &[SecretKey], were_revoked: bool) -> Value {
    let keys = keys.iter().map(|key| {
        json!({
            "organizationId": key.organization,
            "keyId": key.id,
            "role": key.role.as_str(),
            "kind": key.kind.as_str(),
            "createdAt": key.created_at.to_string(),
        })
    });
    json!({"keys": keys.collect::<Vec<Value>>(), "revoked": were_revoked})
}

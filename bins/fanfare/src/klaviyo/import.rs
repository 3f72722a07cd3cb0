//! `fanfare klaviyo import`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::ids::{CollectionId, OrganizationId};
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_sync::{ImportOutcome, ImportRequest, SkipReason};
use serde_json::{Value, json};

use super::watch::{self, Watched};
use crate::api_json;
use crate::args::Import;
use crate::context::CommandContext;
use crate::errors::explain;
use crate::output::{print_json, print_line};

/// The author of what is made by the operator.
const ACTOR: &str = "system:operator";

pub(super) async fn run(context: &CommandContext, import: Import) -> Result<ExitCode> {
    let organization = context.organization(&import.of).await?;
    let request = ImportRequest {
        collections: refs(CollectionKind::List, import.lists)
            .chain(refs(CollectionKind::Segment, import.segments))
            .collect(),
        refresh_interval_seconds: import.continuous.then_some(import.every),
        actor: ACTOR.to_owned(),
    };
    let outcome = context.integration().import(&organization, request).await;
    let outcome = outcome.map_err(explain)?;
    if !context.json {
        tell(&outcome)?;
    }
    let ended = if import.wait {
        let watched = watched(context, &organization, &outcome).await?;
        Some(watch::until_ended(context, &organization, watched).await?)
    } else {
        None
    };
    if context.json {
        print_json(&as_json(context, &outcome, ended.as_deref()))?;
    }
    let all_found = !outcome
        .skipped
        .iter()
        .any(|skipped| skipped.reason == SkipReason::NotFound);
    let all_succeeded = ended
        .iter()
        .flatten()
        .all(|run| run.status == SyncStatus::Success);
    Ok(if all_found && all_succeeded {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn refs(kind: CollectionKind, ids: Vec<CollectionId>) -> impl Iterator<Item = CollectionRef> {
    ids.into_iter().map(move |id| CollectionRef { kind, id })
}

fn tell(outcome: &ImportOutcome) -> Result<()> {
    for imported in &outcome.imported {
        let (kind, id) = (imported.collection.kind.noun(), &imported.collection.id);
        let (audience, run) = (&imported.audience, &imported.run);
        print_line(format!(
            "{kind} {id} is being imported as {audience} ({run})"
        ))?;
    }
    for skipped in &outcome.skipped {
        let (kind, id) = (skipped.collection.kind.noun(), &skipped.collection.id);
        let audience = match &skipped.reason {
            SkipReason::AlreadySynced(audience) => format!(" as {audience}"),
            SkipReason::NotFound => String::new(),
        };
        let reason = skipped.reason_text();
        print_line(format!("{kind} {id} was skipped: {reason}{audience}"))?;
    }
    Ok(())
}

async fn watched(
    context: &CommandContext,
    organization: &OrganizationId,
    outcome: &ImportOutcome,
) -> Result<Vec<Watched>> {
    let mut watched = Vec::new();
    for imported in &outcome.imported {
        let audience = context.integration();
        let audience = audience.audience(organization, &imported.audience).await;
        let name = audience.map_err(explain)?.audience.name;
        watched.push(Watched::new(&name, imported.run.clone()));
    }
    Ok(watched)
}

fn as_json(context: &CommandContext, outcome: &ImportOutcome, ended: Option<&[SyncRun]>) -> Value {
    let imported: Vec<Value> = outcome.imported.iter().map(api_json::imported).collect();
    let skipped: Vec<Value> = outcome.skipped.iter().map(api_json::skipped).collect();
    let mut answer = json!({"imported": imported, "skipped": skipped});
    if let Some(runs) = ended {
        let now = context.integration().clock().now();
        let runs = runs.iter().map(|run| api_json::run(run, now));
        answer["runs"] = runs.collect::<Vec<Value>>().into();
    }
    answer
}

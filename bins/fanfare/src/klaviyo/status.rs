//! `fanfare klaviyo status`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::AudienceRecord;
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_domain::time::Timestamp;
use fanfare_sync::Settings;
use serde_json::{Value, json};

use super::connection;
use super::watch::{self, Watched};
use crate::api_json;
use crate::args::OrganizationOption;
use crate::context::CommandContext;
use crate::errors::explain;
use crate::output::{or_dash, print_json, print_line, table};

/// Audiences read at once.
const PAGE: u32 = 100;

/// An audience with its latest run and the number of its members.
struct Shown {
    record: AudienceRecord,
    run: Option<SyncRun>,
    members: u64,
}

pub(super) async fn run(
    context: &CommandContext,
    of: &OrganizationOption,
    watch: bool,
) -> Result<ExitCode> {
    let organization = context.organization(of).await?;
    let settings = context.integration().settings(&organization).await;
    let settings = settings.map_err(explain)?;
    let mut audiences = audiences(context, &organization).await?;
    if context.json {
        print_json(&as_json(context, &settings, &audiences))?;
        return Ok(ExitCode::SUCCESS);
    }
    connection::show(&settings)?;
    let mut all_succeeded = true;
    if watch {
        let active = active(&audiences);
        let ended = watch::until_ended(context, &organization, active).await?;
        all_succeeded = ended.iter().all(|run| run.status == SyncStatus::Success);
        audiences = self::audiences(context, &organization).await?;
    }
    show(&audiences, context.integration().clock().now())?;
    Ok(if all_succeeded {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn audiences(context: &CommandContext, organization: &OrganizationId) -> Result<Vec<Shown>> {
    let integration = context.integration();
    let (mut shown, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { first: PAGE, after };
        let page = integration.audiences(organization, &request).await;
        let page = page.map_err(explain)?;
        if page.items.is_empty() {
            return Ok(shown);
        }
        after = page.end().map(str::to_owned);
        for record in page.items {
            let id = &record.audience.id;
            let members = integration.member_count(organization, id).await;
            let members = members.map_err(explain)?;
            let run = latest_run(context, organization, &record).await?;
            shown.push(Shown {
                record,
                run,
                members,
            });
        }
    }
}

async fn latest_run(
    context: &CommandContext,
    organization: &OrganizationId,
    record: &AudienceRecord,
) -> Result<Option<SyncRun>> {
    let source = record.source.as_ref();
    let id = source.and_then(|source| source.data.last_run_id.clone());
    let Some(id) = id.and_then(|id| RunId::parse(id).ok()) else {
        return Ok(None);
    };
    let run = context.integration().run(organization, &id).await;
    Ok(Some(run.map_err(explain)?))
}

fn active(audiences: &[Shown]) -> Vec<Watched> {
    let active = audiences.iter().filter_map(|shown| {
        let run = shown.run.as_ref().filter(|run| run.status.is_active())?;
        Some(Watched::new(&shown.record.audience.name, run.id.clone()))
    });
    active.collect()
}

fn show(audiences: &[Shown], now: Timestamp) -> Result<()> {
    let mut rows = table(&[
        "Audience",
        "Name",
        "From",
        "Sync",
        "Waits for",
        "Profiles",
        "Members",
        "Last synced",
        "Failure",
    ]);
    for shown in audiences {
        let (audience, source) = (&shown.record.audience, shown.record.source.as_ref());
        let run = shown.run.as_ref();
        let progress = run.map(|run| {
            let processed = run.progress.tally.processed;
            match run.progress.total.filter(|_| run.status.is_active()) {
                Some(total) => format!("{processed} of {total}"),
                None => processed.to_string(),
            }
        });
        let waits_for = run.and_then(|run| run.waiting_at(now));
        let waits_for = waits_for.map(|waiting| watch::waits_for(waiting, now));
        let error = run.and_then(|run| run.error.as_ref());
        rows.add_row([
            audience.id.to_string(),
            audience.name.clone(),
            or_dash(source.map(|it| format!("{} {}", it.collection.kind.noun(), it.collection.id))),
            or_dash(shown.record.status()),
            or_dash(waits_for),
            or_dash(progress),
            shown.members.to_string(),
            or_dash(source.and_then(|source| source.last_synced_at)),
            or_dash(error.map(|error| error.code)),
        ]);
    }
    print_line(rows)
}

fn as_json(context: &CommandContext, settings: &Settings, audiences: &[Shown]) -> Value {
    let now = context.integration().clock().now();
    let audiences: Vec<Value> = audiences
        .iter()
        .map(|shown| {
            let (audience, source) = (&shown.record.audience, shown.record.source.as_ref());
            json!({
                "audienceId": audience.id,
                "name": audience.name,
                "listId": source.map(|source| source.collection.id.as_str()),
                "kind": source.map(|source| source.collection.kind.as_str()),
                "syncSourceId": source.map(|source| source.id.as_str()),
                "syncStatus": source.map(|source| source.status.as_str()),
                "lastSyncedAt": source.and_then(|source| source.last_synced_at).map(|at| at.to_string()),
                "memberCount": shown.members,
                "run": shown.run.as_ref().map(|run| api_json::run(run, now)),
            })
        })
        .collect();
    let mut answer = api_json::settings(settings);
    answer["audiences"] = audiences.into();
    answer
}

//! Lists imported, or synced again where they have been, and followed to the end.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::StatusCode;

use super::progress::ProgressDisplay;
use crate::interrupt::Interrupt;
use crate::services::Services;
use crate::services::api::{Api, Page, Run};

/// A run that was started, and the name of its audience.
pub(super) struct Started {
    run: String,
    name: String,
}

#[derive(Deserialize)]
struct Outcome {
    imported: Vec<Imported>,
    skipped: Vec<Skipped>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Imported {
    audience_id: String,
    run_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Skipped {
    list_id: String,
    reason: String,
    existing_audience_id: Option<String>,
}

/// Imports the lists; those that are audiences already are synced.
pub(super) fn start(
    api: &Api,
    lists: &[String],
    display: &ProgressDisplay,
) -> Result<Vec<Started>> {
    if lists.is_empty() {
        return Ok(Vec::new());
    }
    let body = json!({"listIds": lists});
    let outcome: Outcome = api.post("/api/audiences/import/klaviyo", &body)?;
    let mut started = Vec::new();
    for imported in outcome.imported {
        let name = audience_name(api, &imported.audience_id)?;
        started.push(Started {
            run: imported.run_id,
            name,
        });
    }
    for skipped in outcome.skipped {
        let Some(audience) = skipped.existing_audience_id else {
            bail!(
                "list {} was not imported: {}",
                skipped.list_id,
                skipped.reason
            );
        };
        let name = audience_name(api, &audience)?;
        display.print_line(&format!(
            "{name} is an audience since an earlier demo; syncing it again"
        ));
        started.push(Started {
            run: sync(api, &audience)?,
            name,
        });
    }
    Ok(started)
}

/// Follows the runs until all have ended, or the user has.
pub(super) fn follow(
    api: &Api,
    started: &[Started],
    services: &mut Services,
    display: &ProgressDisplay,
    interrupt: &Interrupt,
) -> Result<Vec<(String, Run)>> {
    let mut rows: Vec<_> = started.iter().map(|one| display.row(&one.name)).collect();
    loop {
        let mut runs = Vec::new();
        for (one, row) in started.iter().zip(&mut rows) {
            let run: Run = api.get(&format!("/api/sync-runs/{}", one.run))?;
            row.show(&run);
            runs.push((one.name.clone(), run));
        }
        services.supervise(&|line| display.print_line(line))?;
        if interrupt.is_requested() || !runs.iter().any(|(_, run)| run.is_active()) {
            return Ok(runs);
        }
        interrupt.sleep(Duration::from_millis(300));
    }
}

/// Makes the audience of a list continuous, if it has one. Returns the audience's id.
pub(super) fn keep_continuous(api: &Api, list: &str, seconds: u32) -> Result<Option<String>> {
    let lists: Vec<Value> = api.get("/api/klaviyo")?;
    let found = lists.iter().find(|one| one["id"] == list);
    let Some(audience) = found.and_then(|one| one["audienceId"].as_str()) else {
        return Ok(None);
    };
    let body = json!({"refreshIntervalSeconds": seconds});
    api.put::<Value>(&format!("/api/audiences/{audience}"), &body)?;
    Ok(Some(audience.to_owned()))
}

/// Starts a sync, or finds the one that is under way. Returns the run.
fn sync(api: &Api, audience: &str) -> Result<String> {
    let path = format!("/api/audiences/{audience}/sync");
    let answer = api.send("POST", &path, None)?;
    match answer.status {
        StatusCode::OK => {
            let run = answer.body["runId"].as_str().map(str::to_owned);
            run.context("a started sync names no run")
        }
        StatusCode::CONFLICT => {
            let path = format!("/api/audiences/{audience}/runs?first=1");
            let page: Page<Run> = api.get(&path)?;
            let latest = page.data.into_iter().next();
            latest.map(|run| run.id).context("the audience has no run")
        }
        _ => bail!("POST {path} was answered {}", answer.explain()),
    }
}

/// The audience's name, without what a terminal would obey instead of drawing it: it is the name of a list in
/// Klaviyo, which anybody may have given.
fn audience_name(api: &Api, id: &str) -> Result<String> {
    let audience: Value = api.get(&format!("/api/audiences/{id}"))?;
    let name = audience["name"].as_str().unwrap_or(id);
    let turns_direction = |c| matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_obeyed = |c: char| c.is_control() || turns_direction(c);
    Ok(name.replace(is_obeyed, "\u{fffd}"))
}

//! The report at the end: the audiences as a table, and where the API is.

use std::collections::BTreeMap;

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value;

use super::account::Folder;
use crate::services::Services;
use crate::services::api::{Api, Page, Run};

/// Prints the audiences. Tells whether every run succeeded.
pub(super) fn audiences(api: &Api, runs: &[(String, Run)]) -> Result<bool> {
    if runs.is_empty() {
        return Ok(true);
    }
    let mut rows = [
        "Audience",
        "Status",
        "Members",
        "Profiles",
        "  created",
        "  updated",
        "  unchanged",
        "  skipped",
        "Issues",
        "Seconds",
        "Profiles/s",
    ]
    .map(|title| vec![title.to_owned()]);
    for (name, run) in runs {
        let count: Value = api.get(&format!("/api/audiences/{}/count", run.audience_id))?;
        let progress = &run.progress;
        let cells = [
            name.clone(),
            run.status.clone(),
            count["count"].to_string(),
            progress.processed.to_string(),
            progress.created.to_string(),
            progress.updated.to_string(),
            progress.unchanged.to_string(),
            progress.skipped.to_string(),
            issues(api, run)?,
            run.seconds()
                .map_or(String::new(), |seconds| format!("{seconds:.1}")),
            progress
                .profiles_per_second
                .map_or(String::new(), |rate| format!("{rate:.0}")),
        ];
        for (row, cell) in rows.iter_mut().zip(cells) {
            row.push(cell);
        }
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    let [header, rows @ ..] = rows;
    table.set_header(header).add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("\n{table}");
    for (name, run) in runs {
        if let Some(error) = &run.error {
            println!("{name}: {} ({})", error.message, error.code);
        }
    }
    Ok(runs.iter().all(|(_, run)| run.has_succeeded()))
}

/// Prints where the dashboard and the API are, what there is to watch, and how to sign in.
pub(super) fn addresses(api: &Api, services: &Services, folder: &Folder, watched: Option<&str>) {
    let (address, key) = (&api.address, &api.key);
    let key_file = folder.key_file();
    println!();
    println!("Dashboard   {address}/app   (sign in with the secret key)");
    if let Some(audience) = watched {
        println!(
            "Watch       {address}/app/audiences/{audience}   (people join, leave and change every few seconds)"
        );
    }
    println!("API         {address}/api   (described in {address}/api/openapi.json)");
    println!("Secret key  {key}   (kept in {})", key_file.display());
    println!(
        "Worker      process {}: end it with kill -9, and another goes on",
        services.worker().pid()
    );
    println!("Logs        {}/*.log", folder.path().display());
    println!();
    println!(
        "curl -H \"Authorization: Bearer $(cat {})\" {address}/api/audiences",
        key_file.display()
    );
    println!();
    println!("Serving until Ctrl-C.");
}

/// The run's issues by code, one a line.
fn issues(api: &Api, run: &Run) -> Result<String> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page: Page<Value> = api.get(&format!(
            "/api/sync-runs/{}/issues?first=100{after}",
            run.id
        ))?;
        for issue in &page.data {
            *counts
                .entry(issue["code"].as_str().unwrap_or("?").to_owned())
                .or_default() += 1;
        }
        match page.page_info.end_cursor.filter(|_| page.data.len() == 100) {
            Some(cursor) => after = format!("&after={cursor}"),
            None => break,
        }
    }
    let lines = counts.iter().map(|(code, count)| format!("{count} {code}"));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

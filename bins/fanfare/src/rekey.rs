//! `fanfare rekey`: everything that a master key of before has sealed is sealed with the present one.

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::{Context, Result};
use fanfare_domain::ids::OrganizationId;
use fanfare_runtime::Config;
use fanfare_sync::Rekeyed;
use indicatif::ProgressBar;
use serde_json::json;

use crate::context::CommandContext;
use crate::errors::explain;
use crate::organizations;
use crate::output::{print_json, print_line};

/// What was done with the stored Klaviyo keys, as counts of them.
#[derive(Default)]
struct Report {
    sealed_anew: u64,
    unchanged: u64,
    /// The organizations whose keys no master key opens.
    not_opened: Vec<OrganizationId>,
    /// Those whose erased people are recognized no longer, since their hashes' key is lost.
    forgotten: Vec<OrganizationId>,
}

pub(crate) async fn run(config: &Config, is_lost: bool, json: bool) -> Result<ExitCode> {
    let context = if is_lost {
        CommandContext::open_without_its_master_key(config, json).await?
    } else {
        CommandContext::open(config, json).await?
    };
    let done = rekey(&context, is_lost).await;
    context.close().await;
    let report = done.context("not all keys were looked at; `fanfare rekey` again goes on")?;
    if json {
        print_json(&json!({
            "sealedAnew": report.sealed_anew,
            "unchanged": report.unchanged,
            "notOpened": report.not_opened,
            "erasuresForgotten": report.forgotten,
        }))?;
    } else {
        show(&report)?;
    }
    Ok(if report.not_opened.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn rekey(context: &CommandContext, is_lost: bool) -> Result<Report> {
    let progress = if std::io::stderr().is_terminal() && !context.json {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    let mut report = Report::default();
    let mut pages = organizations::Pages::of(context);
    while let Some(page) = pages.next().await? {
        for organization in page {
            let id = organization.id;
            if is_lost {
                let forgotten = context.integration().forget_lost_erasures(&id).await;
                if forgotten.map_err(explain)? {
                    report.forgotten.push(id.clone());
                }
            }
            match context.integration().rekey(&id).await.map_err(explain)? {
                Rekeyed::NotConnected => {}
                Rekeyed::SealedAnew => report.sealed_anew += 1,
                Rekeyed::Unchanged => report.unchanged += 1,
                Rekeyed::NotOpened => report.not_opened.push(id),
            }
            progress.inc(1);
            progress.set_message(format!("{} sealed anew", report.sealed_anew));
        }
    }
    progress.finish_and_clear();
    // Only now: until nothing needs it, the programs must be able to start with the key of before.
    context.app().end_rekeying().await?;
    Ok(report)
}

fn show(report: &Report) -> Result<()> {
    print_line(format!("{} sealed anew", report.sealed_anew))?;
    print_line(format!(
        "{} sealed with the present master key before",
        report.unchanged
    ))?;
    for id in &report.forgotten {
        print_line(format!(
            "Erased people of {id} can be recognized no longer: the next sync brings back those who are still in \
             Klaviyo. Erase them anew"
        ))?;
    }
    for id in &report.not_opened {
        print_line(format!(
            "A key of {id} is sealed by none of the configured master keys: add the one that \
             sealed it to FANFARE_MASTER_KEY_PREVIOUS, or connect Klaviyo again \
             (`fanfare klaviyo connect --org {id}`)"
        ))?;
    }
    Ok(())
}

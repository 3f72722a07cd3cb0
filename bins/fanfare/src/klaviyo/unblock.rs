//! `fanfare klaviyo unblock`

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use anyhow::{Context, Result};
use fanfare_sync::RateLimitBlock;
use serde_json::{Value, json};

use crate::api_json;
use crate::args::OrganizationOption;
use crate::context::CommandContext;
use crate::errors::{UsageError, explain};
use crate::output::{print_json, print_line};

pub(super) async fn run(
    context: &CommandContext,
    of: &OrganizationOption,
    yes: bool,
) -> Result<ExitCode> {
    let organization = context.organization(of).await?;
    let blocks = context.integration().rate_limit_blocks(&organization).await;
    let blocks = blocks.map_err(explain)?;
    if !blocks.is_empty() && !yes && !is_confirmed(context, &blocks)? {
        print_line("Nothing was changed.")?;
        return Ok(ExitCode::FAILURE);
    }
    let unblocked = context.integration().unblock(&organization).await;
    let unblocked = unblocked.map_err(explain)?;
    if context.json {
        let blocks: Vec<Value> = unblocked.blocks.iter().map(api_json::block).collect();
        print_json(&json!({"blocks": blocks, "wokenRuns": unblocked.woken}))?;
    } else {
        print_line(format!(
            "{} rate-limit blocks ended, {} syncs go on",
            unblocked.blocks.len(),
            unblocked.woken
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what it risks, and asks whether to go on.
fn is_confirmed(context: &CommandContext, blocks: &[RateLimitBlock]) -> Result<bool> {
    let input = io::stdin();
    if context.json || !input.is_terminal() {
        let hint = "Klaviyo has asked for no request yet, and may lock the account for longer if one \
                    comes; --yes ends the block nevertheless";
        return Err(UsageError(hint.to_owned()).into());
    }
    for block in blocks {
        let (endpoint, until) = (block.endpoint, block.until);
        print_line(format!(
            "Klaviyo has asked for no request to {endpoint} before {until}."
        ))?;
    }
    print_line(
        "If that was meant, it refuses the next requests too, and may lock the account for longer. Type yes \
         to end the wait:",
    )?;
    let mut line = String::new();
    let read = input.lock().read_line(&mut line);
    read.context("the answer could not be read")?;
    Ok(line.trim() == "yes")
}

//! The operator's command line: it works on the store itself, without the API.
//!
//! Exit status: 0 done, 1 failed, 2 wrongly called.

mod api_json;
mod args;
mod context;
mod doctor;
mod errors;
mod events;
mod explain;
mod keys;
mod klaviyo;
mod migrate;
mod organizations;
mod output;
mod rekey;
mod restored;
mod secret;
mod up;

use std::env;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use fanfare_runtime::{Config, one_line, telemetry};

use crate::args::{Arguments, Command};
use crate::context::CommandContext;
use crate::errors::UsageError;

/// The exit status of a command with wrong arguments. Clap uses the same.
const USAGE_ERROR: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match read_and_run().await {
        Ok(status) => status,
        Err(error) => {
            eprintln!("fanfare: {}", output::harmless(&one_line(error.as_ref())));
            if error.is::<UsageError>() {
                USAGE_ERROR.into()
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

async fn read_and_run() -> Result<ExitCode> {
    if secret::contains_key(env::args_os().skip(1)) {
        return Err(secret::key_in_arguments_error().into());
    }
    run(Arguments::parse()).await
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let config = Config::load()?;
    let json = arguments.json;
    if matches!(arguments.command, Command::Up) {
        return up::run(&config).await;
    }
    telemetry::init_command_line(&config)?;
    match arguments.command {
        Command::Migrate { check } => return migrate::run(&config, check, json).await,
        Command::Doctor => return doctor::run(&config, json).await,
        Command::Rekey { lost } => return rekey::run(&config, lost, json).await,
        _ => {}
    }
    let context = CommandContext::open(&config, json).await?;
    let done = dispatch(&context, arguments.command).await;
    context.close().await;
    done
}

async fn dispatch(context: &CommandContext, command: Command) -> Result<ExitCode> {
    match command {
        Command::Org(command) => organizations::run(context, command).await,
        Command::Key(command) => keys::run(context, command).await,
        Command::Klaviyo(command) => klaviyo::run(context, command).await,
        Command::Events(command) => events::run(context, command).await,
        Command::Explain(command) => explain::run(context, command).await,
        Command::Restored { revoke_keys } => restored::run(context, revoke_keys).await,
        Command::Up | Command::Migrate { .. } | Command::Doctor | Command::Rekey { .. } => {
            Ok(ExitCode::SUCCESS)
        }
    }
}

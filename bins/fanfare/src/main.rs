//! The operator's command line: everything that is done on the store itself, without the API.
//!
//! Exit status: 0 done, 1 failed, 2 wrongly called.

mod args;
mod doctor;
mod explain;
mod keys;
mod klaviyo;
mod migrate;
mod operator;
mod organizations;
mod output;
mod secret;
mod up;
mod wire;

use std::env;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use fanfare_runtime::{Config, one_line, telemetry};

use crate::args::{Arguments, Command};
use crate::explain::WronglyCalled;
use crate::operator::Operator;

/// The exit status of a command that was wrongly called; clap's own is the same.
const WRONGLY_CALLED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match read_and_run().await {
        Ok(status) => status,
        Err(error) => {
            eprintln!("fanfare: {}", one_line(error.as_ref()));
            if error.is::<WronglyCalled>() {
                WRONGLY_CALLED.into()
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

async fn read_and_run() -> Result<ExitCode> {
    if secret::is_among(env::args_os().skip(1)) {
        return Err(secret::is_no_argument().into());
    }
    run(Arguments::parse()).await
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let config = Config::load()?;
    let json = arguments.json;
    if matches!(arguments.command, Command::Up) {
        return up::run(&config).await;
    }
    telemetry::of_the_operator(&config)?;
    match arguments.command {
        Command::Migrate { check } => return migrate::run(&config, check, json).await,
        Command::Doctor => return doctor::run(&config, json).await,
        _ => {}
    }
    let operator = Operator::open(&config, json).await?;
    let done = dispatch(&operator, arguments.command).await;
    operator.close().await;
    done
}

async fn dispatch(operator: &Operator, command: Command) -> Result<ExitCode> {
    match command {
        Command::Org(command) => organizations::run(operator, command).await,
        Command::Key(command) => keys::run(operator, command).await,
        Command::Klaviyo(command) => klaviyo::run(operator, command).await,
        Command::Up | Command::Migrate { .. } | Command::Doctor => Ok(ExitCode::SUCCESS),
    }
}

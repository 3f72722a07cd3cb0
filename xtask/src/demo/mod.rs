//! The demo: every program started, two lists imported, the audiences shown, and served.
//!
//! A second demo goes on with the store of the first: the lists are synced again.

mod account;
mod api;
mod imports;
mod programs;
mod report;
mod screen;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};

use self::account::Folder;
use self::programs::Programs;
use self::screen::Screen;
use crate::stop::Stop;

/// The demo's options.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// End once the imports have, with status 0 if all of them succeeded
    #[arg(long)]
    exit: bool,
    /// Import this list instead of the simulator's two; may be repeated
    #[arg(long = "list", value_name = "ID")]
    lists: Vec<String>,
}

/// The exit status of what was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Whose lists are imported.
enum Klaviyo {
    /// The simulator's.
    Simulated,
    /// The real one's, with this key.
    Real(String),
}

/// The simulator's lists.
const LISTS: [&str; 2] = ["RtPqXs", "XyZaBc"];

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    match demonstrate(options, &stop) {
        // Ctrl-C reaches the programs too: what fails then is no news.
        Err(_) if stop.is_wanted() => Ok(INTERRUPTED.into()),
        result => result,
    }
}

fn demonstrate(options: &Options, stop: &Stop) -> Result<ExitCode> {
    let klaviyo = klaviyo();
    let screen = Screen::new();
    let folder = Folder::open(&klaviyo)?;
    let mut programs = Programs::start(&folder, &klaviyo, &screen, stop)?;

    let api = account::sign_in(&folder, &programs, stop)?;
    account::connect(&api, &klaviyo)?;
    let lists = match klaviyo {
        Klaviyo::Simulated if options.lists.is_empty() => LISTS.map(str::to_owned).to_vec(),
        _ => options.lists.clone(),
    };
    let started = imports::start(&api, &lists, &screen)?;
    let runs = imports::follow(&api, &started, &mut programs, &screen, stop)?;
    unless_stopped(stop)?;
    let all_succeeded = report::audiences(&api, &runs)?;
    if options.exit {
        return Ok(if all_succeeded {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    report::addresses(&api, &programs, &folder);
    while !stop.is_wanted() {
        programs.tend(&screen)?;
        stop.sleep(Duration::from_millis(200));
    }
    println!("\nStopping.");
    Ok(ExitCode::SUCCESS)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a task is told its Klaviyo key by the environment"
)]
fn klaviyo() -> Klaviyo {
    match std::env::var("KLAVIYO_API_KEY") {
        Ok(key) if !key.trim().is_empty() => Klaviyo::Real(key.trim().to_owned()),
        _ => Klaviyo::Simulated,
    }
}

/// Ends the demo's set-up early if the user wants it.
fn unless_stopped(stop: &Stop) -> Result<()> {
    ensure!(!stop.is_wanted(), "interrupted");
    Ok(())
}

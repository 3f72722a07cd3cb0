//! The demo: every program started, two lists imported, the audiences shown, a small launch played, and all of it served.
//!
//! A second demo goes on with the store of the first: the lists are synced again.

mod account;
mod imports;
mod launch;
mod progress;
mod report;

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};

use self::account::Folder;
use self::progress::ProgressDisplay;
use crate::interrupt::Interrupt;
use crate::services::{Services, Setting, Setup};

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

/// The Klaviyo whose lists are imported.
enum Klaviyo {
    /// The simulator's.
    Simulated,
    /// The real one's, with this key.
    Real(String),
}

/// The simulator's lists.
const LISTS: [&str; 2] = ["RtPqXs", "XyZaBc"];

/// The one of them that people join and leave every few seconds.
const LIVING: &str = "XyZaBc";

/// How often its audience is synced, in seconds, and the shortest interval of the demo.
const INTERVAL_SECONDS: u32 = 10;
const SHORTEST: &str = "5";

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    match demonstrate(options, &interrupt) {
        // Ctrl-C reaches the programs too: what fails then is no news.
        Err(_) if interrupt.is_requested() => Ok(INTERRUPTED.into()),
        result => result,
    }
}

fn demonstrate(options: &Options, interrupt: &Interrupt) -> Result<ExitCode> {
    let klaviyo = klaviyo();
    let display = ProgressDisplay::new();
    let folder = Folder::open(&klaviyo)?;
    let say = |line: &str| display.print_line(line);
    let store = format!("sqlite://{}", folder.store().display());
    let setup = Setup {
        store: &store,
        logs: folder.path(),
        simulator: match klaviyo {
            Klaviyo::Simulated => Some(account::simulator_arguments(LIVING)),
            Klaviyo::Real(_) => None,
        },
        environment: match klaviyo {
            Klaviyo::Simulated => vec![("FANFARE_MIN_REFRESH_SECONDS", SHORTEST.into())],
            Klaviyo::Real(_) => Vec::new(),
        },
        api: free_port("FANFARE_API_ADDR", 4800, &say),
        worker: free_port("FANFARE_WORKER_ADDR", 4801, &say),
        is_release: false,
    };
    let mut services = Services::start(setup, &say, interrupt)?;

    let api = account::sign_in(&folder, &services)?;
    account::connect(&api, &klaviyo)?;
    let lists = match klaviyo {
        Klaviyo::Simulated if options.lists.is_empty() => LISTS.map(str::to_owned).to_vec(),
        _ => options.lists.clone(),
    };
    let started = imports::start(&api, &lists, &display)?;
    let runs = imports::follow(&api, &started, &mut services, &display, interrupt)?;
    ensure!(!interrupt.is_requested(), "interrupted");
    let all_succeeded = report::audiences(&api, &runs)?;
    if let (Klaviyo::Simulated, true, [(_, run), ..]) = (&klaviyo, all_succeeded, runs.as_slice()) {
        launch::play(&api, &run.audience_id, &mut services, &display, interrupt)?;
    }
    if options.exit {
        return Ok(if all_succeeded {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let watched = match klaviyo {
        Klaviyo::Simulated => imports::keep_continuous(&api, LIVING, INTERVAL_SECONDS)?,
        Klaviyo::Real(_) => None,
    };
    report::addresses(&api, &services, &folder, watched.as_deref());
    while !interrupt.is_requested() {
        services.supervise(&say)?;
        interrupt.sleep(Duration::from_millis(200));
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

/// The setting that makes a program listen elsewhere if its usual port is taken; none if the port is
/// free, or if the user has chosen an address.
fn free_port(variable: &'static str, usual: u16, say: &dyn Fn(&str)) -> Option<Setting> {
    if std::env::var_os(variable).is_some() || TcpListener::bind(("127.0.0.1", usual)).is_ok() {
        return None;
    }
    say(&format!("Port {usual} is taken; using a free one"));
    Some((variable, "127.0.0.1:0".into()))
}

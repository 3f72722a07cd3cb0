//! The fault suite: real programs, killed, frozen, cut off and misled in the middle of an import.
//!
//! Each round starts a simulator, the API and workers on a fresh store, lets one thing happen, waits for
//! the end, and compares every row that the API shows with an undisturbed import's. The
//! simulator's log tells which pages were asked for twice, and whether anybody asked inside a
//! `Retry-After`.

mod cases;
mod klaviyo;
mod outcome;
mod proxy;
mod scene;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use comfy_table::{Table, presets};

use self::cases::CASES;
use self::outcome::Outcome;
use self::scene::{Scene, Setting};
use crate::fleet::Built;
use crate::stop::Stop;
use crate::test::postgres::Cluster;

/// The options of `cargo xtask faults`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Every round of every fault, instead of the few that fit into the tests
    #[arg(long)]
    full: bool,
    /// Only the faults with this word in their name
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
}

/// A fault, and the rounds it is played in.
struct Case {
    name: &'static str,
    stores: Stores,
    /// What a round differs by: mostly the page at which it happens.
    rounds: &'static [u32],
    /// How many of them are played among the tests.
    quick: usize,
    play: fn(&Play<'_>) -> Result<Played>,
}

/// Which stores a fault is played on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stores {
    Both,
    /// It is between us and Klaviyo: the store does not matter, and the embedded one is quickest.
    Embedded,
    /// It is the database's.
    Shared,
}

impl Stores {
    const fn have(self, setting: &Setting) -> bool {
        match self {
            Self::Both => true,
            Self::Embedded => matches!(setting, Setting::Sqlite),
            Self::Shared => matches!(setting, Setting::Postgres(_)),
        }
    }
}

/// What a round has at hand.
struct Play<'a> {
    built: &'a Built,
    setting: &'a Setting,
    stop: &'a Stop,
    round: u32,
}

impl Play<'_> {
    /// A scene with these faults of Klaviyo's and this many workers.
    fn scene(&self, faults: &[&str], workers: usize) -> Result<Scene> {
        Scene::set(self.built, self.setting, faults, workers, self.stop)
    }
}

/// What came of a round.
struct Played {
    outcome: Outcome,
    /// From the fault to the next request for a page, where something had to recover.
    recovery: Option<Duration>,
    /// Pages answered more than once.
    refetched: u64,
    /// The most that may be: one for each time a worker was lost.
    allowed: u64,
    /// Requests inside a `Retry-After`.
    intrusions: u64,
    /// How the run should have ended, where not in success.
    failure: Option<&'static str>,
}

/// A line of the table.
struct Row {
    name: &'static str,
    store: &'static str,
    rounds: usize,
    recovered: usize,
    slowest: Option<Duration>,
    refetched: u64,
}

/// A worker must be missed for no longer than that; the lease here is 3 s instead of 10.
const SLOWEST_RECOVERY: Duration = Duration::from_secs(8);

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let report = play(options, &stop)?;
    Ok(if report.faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What came of all rounds.
pub(crate) struct Report {
    /// Rounds that ended as they should.
    pub(crate) recovered: u64,
    /// What went wrong, a line each.
    pub(crate) faults: Vec<String>,
}

/// The rounds that belong to the tests.
pub(crate) fn quick(stop: &Stop) -> Result<Report> {
    let options = Options {
        full: false,
        only: None,
    };
    play(&options, stop)
}

fn play(options: &Options, stop: &Stop) -> Result<Report> {
    let word = options.only.as_deref().unwrap_or("");
    let cases: Vec<&Case> = CASES
        .iter()
        .filter(|case| case.name.contains(word))
        .collect();
    if cases.is_empty() {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        bail!(
            "no fault has {word} in its name; there are: {}",
            names.join("; ")
        );
    }
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let built = Built::build(false)?;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for setting in [Setting::Sqlite, Setting::Postgres(cluster)] {
        let undisturbed = undisturbed(&built, &setting, stop)?;
        for case in cases.iter().filter(|case| case.stores.have(&setting)) {
            let row = rounds(
                case,
                &built,
                &setting,
                &undisturbed,
                options,
                stop,
                &mut faults,
            )?;
            rows.push(row);
        }
    }
    print(&rows);
    for fault in &faults {
        println!("{fault}");
    }
    Ok(Report {
        recovered: rows.iter().map(|row| row.recovered as u64).sum(),
        faults,
    })
}

fn rounds(
    case: &Case,
    built: &Built,
    setting: &Setting,
    undisturbed: &Outcome,
    options: &Options,
    stop: &Stop,
    faults: &mut Vec<String>,
) -> Result<Row> {
    let rounds = if options.full {
        case.rounds
    } else {
        &case.rounds[..case.quick]
    };
    let mut row = Row {
        name: case.name,
        store: setting.name(),
        rounds: rounds.len(),
        recovered: 0,
        slowest: None,
        refetched: 0,
    };
    for &round in rounds {
        let begun = Instant::now();
        let play = Play {
            built,
            setting,
            stop,
            round,
        };
        let verdict =
            (case.play)(&play).and_then(|played| judge(&played, undisturbed).map(|()| played));
        if stop.is_wanted() {
            bail!("interrupted");
        }
        let took = begun.elapsed().as_secs_f64();
        let name = format!("{} ({round}) on {}", case.name, setting.name());
        match verdict {
            Ok(played) => {
                row.recovered += 1;
                row.slowest = row.slowest.max(played.recovery);
                row.refetched += played.refetched;
                println!("{name}: ok, {took:.1} s");
            }
            Err(error) => {
                let fault = format!("{name}: {error:#}");
                println!("{fault}");
                faults.push(fault);
            }
        }
    }
    Ok(row)
}

fn undisturbed(built: &Built, setting: &Setting, stop: &Stop) -> Result<Outcome> {
    let scene = Scene::set(built, setting, &[], 1, stop)?;
    scene.import()?;
    scene.finish().context("the undisturbed import")?;
    scene.outcome()
}

fn judge(played: &Played, undisturbed: &Outcome) -> Result<()> {
    if let Some(code) = played.failure {
        played.outcome.must_have_failed(code)?;
    } else {
        played.outcome.must_equal(undisturbed)?;
    }
    if played.intrusions > 0 {
        bail!("{} requests inside a Retry-After", played.intrusions);
    }
    if played.refetched > played.allowed {
        bail!(
            "{} pages were fetched twice; {} may be",
            played.refetched,
            played.allowed
        );
    }
    if let Some(recovery) = played.recovery.filter(|took| *took > SLOWEST_RECOVERY) {
        bail!("taken up again only after {:.1} s", recovery.as_secs_f64());
    }
    Ok(())
}

fn print(rows: &[Row]) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "Fault",
        "Store",
        "Rounds",
        "Recovered",
        "Slowest recovery",
        "Pages refetched",
    ]);
    for row in rows {
        let slowest = row
            .slowest
            .map(|took| format!("{:.1} s", took.as_secs_f64()));
        table.add_row([
            row.name.to_owned(),
            row.store.to_owned(),
            row.rounds.to_string(),
            row.recovered.to_string(),
            slowest.unwrap_or_default(),
            row.refetched.to_string(),
        ]);
    }
    println!("\n{table}");
}

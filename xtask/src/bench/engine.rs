//! How fast the engine is without a quota and without latency, for a first import and for a second pass.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::environment::{Environment, KEY, LIST, SECOND_LIST};
use super::{Figure, Options, READERS, example};
use crate::interrupt::Interrupt;
use crate::services::api::Run;
use crate::test::postgres::Cluster;

const PROFILES: u64 = 200_000;

const SIMULATOR: [&str; 3] = ["--no-quota", "--latency", "0"];

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let profiles = PROFILES / options.divide;
    let environment = Environment::start(profiles, &SIMULATOR, interrupt)?;
    let measured = Measured::of(&environment, profiles)?;
    let (_folder, store) = environment.stop_and_keep_store();
    measured.figures("engine-sqlite", profiles, script(&store)?)
}

pub(super) fn measure_on_postgres(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let profiles = PROFILES / options.divide;
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let store = cluster.database("bench")?;
    let second = format!("{SECOND_LIST}=Benchmark with statistics:{profiles}");
    let simulator = [SIMULATOR.as_slice(), &["--list", &second]].concat();
    let environment = Environment::start_on_postgres(&store, profiles, &simulator, interrupt)?;
    let measured = Measured::of(&environment, profiles)?;
    let copy = cluster.database("copy")?;
    environment.services.migrate(&copy)?;
    let script = cluster.copy_rows(&store, &copy, &TABLES)?;
    cluster.analyze(&store)?;
    let analyzed = environment.finish(&environment.import(SECOND_LIST)?)?;
    let seconds = analyzed.seconds().context("the run has no times")?;
    let mut figures = measured.figures("engine-postgres", profiles, script.as_secs_f64())?;
    // The planner must not need statistics: a new organization has none.
    figures.push(Figure {
        limit_is: "the same with statistics",
        what: "first import, without statistics".to_owned(),
        limit: Some(count(profiles) / seconds),
        ..figures[0].clone()
    });
    Ok(figures)
}

/// What an import leaves behind, in the order of the foreign keys, with the index of searches.
const TABLES: [&str; 11] = [
    "sync_sources",
    "audiences",
    "consumers",
    "profile_links",
    "audience_list_memberships",
    "sync_runs",
    "sync_issues",
    "search_sections",
    "search_blocks",
    "search_places",
    "search_pending",
];

/// An import and a second pass over the same list.
struct Measured {
    import: Run,
    memory: Option<f64>,
    resync: Run,
    reading: f64,
}

impl Measured {
    fn of(environment: &Environment, profiles: u64) -> Result<Self> {
        let import = environment.finish(&environment.import(LIST)?)?;
        let memory = environment.services.worker().peak_memory();
        let resync = environment.finish(&environment.sync(&import.audience_id)?)?;
        let reading = reading_alone(environment, profiles)?;
        Ok(Self {
            import,
            memory,
            resync,
            reading,
        })
    }

    /// The figures, beside the seconds that a script takes for the same rows.
    fn figures(&self, case: &'static str, profiles: u64, script: f64) -> Result<Vec<Figure>> {
        let rate = |seconds: f64| count(profiles) / seconds;
        let seconds = |run: &Run| run.seconds().context("the run has no times");
        let store = case.trim_start_matches("engine-");
        let changed = &self.resync.progress;
        let figure = |case, what: &str, unit, measured, limit_is, limit| Figure {
            case,
            what: what.to_owned(),
            unit,
            measured,
            limit_is,
            limit,
        };
        let mut figures = vec![figure(
            case,
            "first import",
            "profiles/s",
            rate(seconds(&self.import)?),
            "the same rows by one SQL script",
            Some(rate(script)),
        )];
        if let Some(memory) = self.memory {
            figures.push(figure(case, "worker's peak memory", "MB", memory, "", None));
        }
        figures.push(figure(
            "resync",
            &format!("second pass on {store}"),
            "profiles/s",
            rate(seconds(&self.resync)?),
            "reading alone, by as many readers",
            Some(rate(self.reading)),
        ));
        let rows =
            changed.created + changed.updated + changed.members_added + changed.members_removed;
        figures.push(figure(
            "resync",
            &format!("consumers and members changed on {store}"),
            "rows",
            count(rows),
            "",
            None,
        ));
        Ok(figures)
    }
}

/// Seconds that it takes to read the list's pages, by as many readers as the worker has, and to drop them.
fn reading_alone(environment: &Environment, profiles: u64) -> Result<f64> {
    let address = environment.services.simulator_address.as_deref();
    let address = address.context("there is no simulator")?;
    let mut read = Command::new(example("read")?);
    read.args([address, KEY, LIST, READERS]);
    let printed = output_of(&mut read)?;
    let (read, seconds) = printed.trim().split_once(' ').context("nothing was read")?;
    ensure!(read.parse() == Ok(profiles), "{read} profiles were read");
    Ok(seconds.parse()?)
}

/// Seconds that one SQL script takes to write the rows of the store into an empty one.
fn script(store: &Path) -> Result<f64> {
    let mut script = Command::new(example("script")?);
    Ok(output_of(script.arg(store).args(TABLES))?.trim().parse()?)
}

fn output_of(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed:\n{words}");
    Ok(String::from_utf8(output.stdout)?)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of benchmarks are far below 2^52"
)]
const fn count(n: u64) -> f64 {
    n as f64
}

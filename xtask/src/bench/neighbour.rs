//! What an organization notices of another that does its worst, beside the same while the other does nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::environment::{Environment, LIST};
use super::latency::percentile;
use super::{Figure, Options, search};
use crate::abuse::Abuser;
use crate::interrupt::Interrupt;
use crate::services::api::Api;
use crate::test::postgres::Cluster;

/// The audience that the abuser searches.
const SEARCHED: u64 = 1_000_000;

/// The lists that the other organization imports, one while the abuser does nothing and one while it does its worst.
const IDLE_LIST: &str = "IdLeSt";
const BUSY_LIST: &str = "BuSySt";
const IMPORTED: u64 = 5_000;

/// The abuser's lists: of which a page takes 25 s, and of which a page has 12 MB.
const SLOW_LISTS: usize = 20;
const SLOW: u64 = 2_000;
const GIANT_LIST: &str = "GiAnTs";
const GIANT: u64 = 5_000;

/// The abuser's account; its key is told to the simulator in `--other-key`.
const ABUSER_KEY: &str = "pk_abuser_0123456789abcdef0123456789abcdef";

/// Requests without bodies, viewers who do not read, searches at a time.
const WITHHELD: usize = 1_010;
const VIEWERS: usize = 24;
const SEARCHES: usize = 100;

/// How long the ordinary requests of the other organization are measured, in each state.
const MEASURED: Duration = Duration::from_secs(30);

/// The pause between two of them: an organization is allowed 1,000 a minute.
const PAUSE: Duration = Duration::from_millis(150);

/// How long the API waits for a body: then the abuser withholds the next ones.
const BODY_TIMEOUT: Duration = Duration::from_secs(16);

/// What the API and a worker may need, in MB.
const API_MEMORY: f64 = 256.0;
const WORKER_MEMORY: f64 = 128.0;

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let simulator = simulator(options.divide);
    let simulator: Vec<&str> = simulator.iter().map(String::as_str).collect();
    let searched = SEARCHED / options.divide;
    let environment = Environment::start(searched, &simulator, interrupt)?;
    let mut figures = on(&environment, "sqlite", interrupt)?;
    drop(environment);
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let store = cluster.database("neighbour")?;
    let environment = Environment::start_on_postgres(&store, searched, &simulator, interrupt)?;
    figures.extend(on(&environment, "postgres", interrupt)?);
    Ok(figures)
}

/// The further arguments of the simulator.
fn simulator(divide: u64) -> Vec<String> {
    let mut arguments: Vec<String> = ["--no-quota", "--latency", "20", "--other-key", ABUSER_KEY]
        .map(str::to_owned)
        .to_vec();
    let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    for list in [IDLE_LIST, BUSY_LIST] {
        option("--list", format!("{list}={list}:{}", IMPORTED / divide));
    }
    option("--list", format!("{GIANT_LIST}=Giants:{}", GIANT / divide));
    for effect in ["enlarge=12000000", "slow=1000"] {
        option(
            "--fault",
            format!("list-profiles/{GIANT_LIST}@times=all:{effect}"),
        );
    }
    for id in slow_lists() {
        option("--list", format!("{id}={id}:{}", SLOW / divide));
        // A pause in the middle too: an answer may not let the client wait for more than 15 s.
        for effect in ["slow=12500", "stall=12500"] {
            option("--fault", format!("list-profiles/{id}@times=all:{effect}"));
        }
    }
    arguments
}

fn slow_lists() -> impl Iterator<Item = String> {
    (0..SLOW_LISTS).map(|number| format!("SlOw{number:02}"))
}

/// What an organization notices.
#[derive(Default)]
struct Noticed {
    times: Vec<Duration>,
    /// Requests without an answer, or with a refusal.
    refused: u64,
    /// How often `/readyz` said something else than 200.
    unready: u64,
    /// Seconds from the click to the end of an import.
    import: f64,
}

fn on(environment: &Environment, store: &str, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let key = environment.services.create_organization("Abuser")?;
    let abuser = Abuser::connect(&environment.services.address, &key, ABUSER_KEY)?;
    let searched = abuser.import(&[LIST.to_owned()])?;
    let audience = loop {
        let run = abuser.run(&searched[0])?;
        if !run.is_active() {
            ensure!(
                run.has_succeeded(),
                "the searched audience was not imported"
            );
            break run.audience_id;
        }
        ensure!(!interrupt.is_requested(), "interrupted");
        interrupt.sleep(Duration::from_millis(500));
    };

    let mut figures = search::measure(&abuser.api, &audience, store, interrupt)?;
    let mut idle = noticed(environment, IDLE_LIST, interrupt)?;
    let services = &environment.services;
    for program in [services.api(), services.worker()] {
        program.reset_peak_memory();
    }
    let is_over = AtomicBool::new(false);
    let mut busy = thread::scope(|scope| -> Result<Noticed> {
        let worst = scope.spawn(|| do_the_worst(&abuser, &audience, &is_over));
        // The abuse has begun before anything is measured.
        interrupt.sleep(Duration::from_secs(5));
        let busy = noticed(environment, BUSY_LIST, interrupt);
        is_over.store(true, Ordering::SeqCst);
        worst.join().expect("the abuser does not panic")?;
        busy
    })?;

    let figure = |what: &str, unit, measured, limit_is, limit| Figure {
        case: "neighbour",
        what: format!("{what} on {store}"),
        unit,
        measured,
        limit_is,
        limit,
    };
    for (name, share) in [("p50", 50), ("p99", 99)] {
        let (busy, idle) = (
            percentile(&mut busy.times, share),
            percentile(&mut idle.times, share),
        );
        let what = format!("another's requests, {name},");
        figures.push(figure(&what, "ms", busy, "the same idle", Some(idle)));
    }
    figures.extend([
        figure(
            "another's import",
            "s",
            busy.import,
            "the same idle",
            Some(idle.import),
        ),
        figure(
            "another's requests refused",
            "",
            count(busy.refused),
            "none",
            Some(0.0),
        ),
        figure(
            "`/readyz` not 200",
            "times",
            count(busy.unready),
            "never",
            Some(0.0),
        ),
    ]);
    for (what, program, limit) in [
        ("API's peak memory", services.api(), API_MEMORY),
        ("worker's peak memory", services.worker(), WORKER_MEMORY),
    ] {
        if let Some(memory) = program.peak_memory() {
            figures.push(figure(what, "MB", memory, "what it may have", Some(limit)));
        }
    }
    Ok(figures)
}

/// All that the abuser does, until it is over.
fn do_the_worst(abuser: &Abuser, audience: &str, is_over: &AtomicBool) -> Result<()> {
    let lists: Vec<String> = slow_lists().chain([GIANT_LIST.to_owned()]).collect();
    let runs = abuser.import(&lists)?;
    abuser.enlarge_audiences()?;
    thread::scope(|scope| -> Result<()> {
        scope.spawn(|| abuser.search(audience, SEARCHES, is_over));
        let unread = abuser.leave_answers_unread(VIEWERS)?;
        while !is_over.load(Ordering::SeqCst) {
            let withheld = abuser.withhold_bodies(WITHHELD)?;
            let begun = Instant::now();
            while begun.elapsed() < BODY_TIMEOUT && !is_over.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(100));
            }
            drop(withheld);
        }
        drop(unread);
        Ok(())
    })?;
    // Pages that take 25 s would keep the worker from ending.
    for run in runs {
        let _ = abuser
            .api
            .send_once("POST", &format!("/api/sync-runs/{run}/cancel"), None);
    }
    Ok(())
}

/// What the other organization notices in [`MEASURED`].
fn noticed(environment: &Environment, list: &str, interrupt: &Interrupt) -> Result<Noticed> {
    let api = &environment.api;
    let import = import(api, list)?;
    let mut noticed = Noticed::default();
    let begun = Instant::now();
    for path in ["/api/audiences", "/api/klaviyo", "/api/consumers?first=100"]
        .iter()
        .cycle()
    {
        if begun.elapsed() >= MEASURED {
            break;
        }
        ensure!(!interrupt.is_requested(), "interrupted");
        interrupt.sleep(PAUSE);
        let asked = Instant::now();
        match api.send_once("GET", path, None) {
            Ok(answer) if answer.status == 200 => noticed.times.push(asked.elapsed()),
            _ => noticed.refused += 1,
        }
        let ready = api.send_once("GET", "/readyz", None);
        noticed.unready += u64::from(!ready.is_ok_and(|answer| answer.status == 200));
    }
    let run = environment.finish(&import)?;
    noticed.import = run.seconds_since_click().context("the run has no times")?;
    Ok(noticed)
}

/// Starts an import. Returns its run.
fn import(api: &Api, list: &str) -> Result<String> {
    let answer: Value = api.post("/api/audiences/import/klaviyo", &json!({"listIds": [list]}))?;
    let run = answer["imported"][0]["runId"].as_str();
    run.map(str::to_owned).context("the list was not imported")
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred requests")]
const fn count(n: u64) -> f64 {
    n as f64
}

//! How fast the door answers while an import runs, beside the same when nothing does, and beside the database alone.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::environment::{Environment, LIST, SECOND_LIST};
use super::latency::percentile;
use super::{Figure, Options, example};
use crate::interrupt::Interrupt;
use crate::services::api::Page;
use crate::services::simulator;
use crate::test::postgres::Cluster;

/// The members of the audience at whose door is asked, and those of the list that is imported meanwhile.
const MEMBERS: u64 = 1_000_000;
const IMPORTED: u64 = 400_000;

/// Checks of one e-mail each, for each state and way of asking: an organization is allowed 100,000 a minute.
const CHECKS: u64 = 20_000;

/// How many checks a second a waiting room asks for.
const PACE: f64 = 3_000.0;

/// Connections at once.
const CONNECTIONS: usize = 32;

/// How many connections to each store the door has for one organization.
const OF_SQLITE: u32 = 2;
const OF_POSTGRES: u32 = 4;

/// The members whose e-mails are asked for, in pages of a hundred.
const PAGES: usize = 10;

/// What a waiting room can wait for, in milliseconds.
const P99_ON_POSTGRES: f64 = 5.0;
const P99_ON_SQLITE: f64 = 10.0;

const SIMULATOR: [&str; 3] = ["--no-quota", "--latency", "0"];

/// By the [`READERS`](super::READERS) of a list, 750 pages a minute: what Klaviyo's quota allows an import.
const AT_KLAVIYOS_PACE: &str = "list-profiles@times=all:slow=2240";

/// How long the first pages take at that pace.
const FIRST_PAGES: Duration = Duration::from_secs(4);

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let members = MEMBERS / options.divide;
    let second = format!("{SECOND_LIST}=Imported:{}", IMPORTED / options.divide);
    let simulator = [SIMULATOR.as_slice(), &["--list", &second]].concat();
    let environment = Environment::start(members, &simulator, interrupt)?;
    let audience = environment.members_of(LIST)?;
    let measured = Measured::of(&environment, &audience, options, interrupt)?;
    let mut figures = measured.figures("sqlite", P99_ON_SQLITE);
    let store = format!("sqlite://{}", environment.store_file().display());
    figures.push(measured.beside_a_select("sqlite", &store, OF_SQLITE)?);
    drop(environment);
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let store = cluster.database("check")?;
    let environment = Environment::start_on_postgres(&store, members, &simulator, interrupt)?;
    let audience = environment.members_of(LIST)?;
    // As a database has done with rows that have been there for a while.
    cluster.vacuum(&store)?;
    let measured = Measured::of(&environment, &audience, options, interrupt)?;
    figures.extend(measured.figures("postgres", P99_ON_POSTGRES));
    figures.push(measured.beside_a_select("postgres", &store, OF_POSTGRES)?);
    Ok(figures)
}

/// The checks of one state, asked by each way.
struct Checked {
    /// As fast as they are answered.
    unpaced: Answers,
    /// At the pace of a waiting room.
    paced: Answers,
}

/// How long answers took.
#[derive(Deserialize)]
struct Answers {
    seconds: f64,
    micros: Vec<u64>,
}

struct Measured {
    idle: Checked,
    busy: Checked,
    /// During an import at the pace that Klaviyo's quota allows, by a waiting room's pace.
    at_klaviyos_pace: Answers,
    /// Reads one of the members by its primary key.
    statement: String,
}

impl Measured {
    fn of(
        environment: &Environment,
        audience: &str,
        options: &Options,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let (emails, statement) = people(environment, audience)?;
        let door = Door {
            address: format!("{}/api/audiences/{audience}/check", environment.api.address),
            key: format!("Bearer {}", environment.api.key),
            emails,
            checks: (CHECKS / options.divide).max(1),
            ask: example("ask")?,
        };
        let idle = door.check(interrupt)?;
        let simulator = environment.services.simulator_address.as_deref();
        let simulator = simulator.context("there is no simulator")?;
        simulator::order(simulator, "faults", AT_KLAVIYOS_PACE)?;
        let mut import = environment.import(SECOND_LIST)?;
        let is_over = AtomicBool::new(false);
        let (busy, at_klaviyos_pace) = thread::scope(|scope| -> Result<_> {
            let importing = scope.spawn(|| -> Result<()> {
                while !is_over.load(Ordering::SeqCst) {
                    let run = environment.run(&import)?;
                    if !run.is_active() {
                        import = environment.sync(&run.audience_id)?;
                    }
                    thread::sleep(Duration::from_millis(250));
                }
                Ok(())
            });
            interrupt.sleep(FIRST_PAGES);
            let checked = door.asked(Some(PACE), interrupt).and_then(|paced| {
                simulator::forget_faults(simulator)?;
                Ok((door.check(interrupt)?, paced))
            });
            is_over.store(true, Ordering::SeqCst);
            importing.join().expect("no panic while importing")?;
            checked
        })?;
        Ok(Self {
            idle,
            busy,
            at_klaviyos_pace,
            statement,
        })
    }

    /// The checks a second when nothing else happens, beside the rate at which one of the members is read by its primary key,
    /// by as many at once through a pool of as many connections.
    fn beside_a_select(&self, name: &str, store: &str, connections: u32) -> Result<Figure> {
        let mut select = Command::new(example("select")?);
        select.args([store, &connections.to_string(), &self.statement]);
        let output = select.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "the statement cannot be measured");
        let rate = String::from_utf8_lossy(&output.stdout).trim().parse()?;
        Ok(Figure {
            case: "check",
            what: format!("checks on {name}, idle"),
            unit: "/s",
            measured: self.idle.unpaced.rate(),
            limit_is: "one SELECT by primary key through such a pool",
            limit: Some(rate),
        })
    }

    fn figures(&self, store: &str, p99: f64) -> Vec<Figure> {
        let during = |when: &str, what: &str, unit, measured, limit_is, limit| Figure {
            case: "check",
            what: format!("{what} on {store}, during an import{when}"),
            unit,
            measured,
            limit_is,
            limit: Some(limit),
        };
        let figure = |what: &str, unit, measured, limit_is, limit| {
            during("", what, unit, measured, limit_is, limit)
        };
        let same = "the same idle";
        let (idle, busy) = (&self.idle.unpaced, &self.busy.unpaced);
        let mut figures = vec![figure("checks", "/s", busy.rate(), same, idle.rate())];
        let (idle, busy) = ((idle, &self.idle.paced), (busy, &self.busy.paced));
        for (what, share) in [("p50", 50), ("p99", 99)] {
            let ways = [
                (format!("check {what}, unpaced,"), idle.0, busy.0),
                (format!("check {what} at {PACE} a second"), idle.1, busy.1),
            ];
            for (what, idle, busy) in ways {
                let (busy, idle) = (busy.percentile(share), idle.percentile(share));
                figures.push(figure(&what, "ms", busy, same, idle));
            }
        }
        let what = format!("check p99 at {PACE} a second");
        let (busy, paced) = (busy.1.percentile(99), self.at_klaviyos_pace.percentile(99));
        let when = " at Klaviyo's pace";
        figures.push(figure(&what, "ms", busy, "what it may take", p99));
        figures.push(during(when, &what, "ms", paced, "what it may take", p99));
        figures
    }
}

impl Answers {
    /// How many came a second.
    fn rate(&self) -> f64 {
        count(self.micros.len()) / self.seconds
    }

    fn percentile(&self, percent: usize) -> f64 {
        let times = self.micros.iter().copied().map(Duration::from_micros);
        percentile(&mut times.collect::<Vec<_>>(), percent)
    }
}

/// E-mails of members, and a statement that reads one of them.
fn people(environment: &Environment, audience: &str) -> Result<(Vec<String>, String)> {
    let (mut emails, mut after, mut statement) = (Vec::new(), String::new(), String::new());
    for _ in 0..PAGES {
        let path = format!("/api/audiences/{audience}/members?first=100{after}");
        let page: Page<Value> = environment.api.get(&path)?;
        let Some(end) = page.page_info.end_cursor else {
            break;
        };
        after = format!("&after={end}");
        for member in &page.data {
            emails.extend(member["email"].as_str().map(str::to_owned));
            let text = |name: &str| member[name].as_str().unwrap_or_default();
            let (organization, id) = (text("organizationId"), text("id"));
            statement = format!(
                "SELECT email FROM consumers WHERE organization_id = '{organization}' AND id = '{id}'"
            );
        }
    }
    ensure!(!emails.is_empty(), "the audience has no members");
    Ok((emails, statement))
}

/// The door of an audience.
struct Door {
    address: String,
    key: String,
    emails: Vec<String>,
    checks: u64,
    ask: PathBuf,
}

impl Door {
    fn check(&self, interrupt: &Interrupt) -> Result<Checked> {
        Ok(Checked {
            unpaced: self.asked(None, interrupt)?,
            paced: self.asked(Some(PACE), interrupt)?,
        })
    }

    /// Asks for one e-mail at a time, by [`CONNECTIONS`] at once.
    fn asked(&self, pace: Option<f64>, interrupt: &Interrupt) -> Result<Answers> {
        ensure!(!interrupt.is_requested(), "interrupted");
        let asking = json!({
            "address": self.address,
            "authorization": self.key,
            "emails": self.emails,
            "checks": self.checks,
            "connections": CONNECTIONS,
            "pace": pace,
        });
        let mut ask = Command::new(&self.ask)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = ask.stdin.take().context("it takes no input")?;
        input.write_all(asking.to_string().as_bytes())?;
        drop(input);
        let output = ask.wait_with_output()?;
        ensure!(output.status.success(), "the checks failed");
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "some ten thousand")]
const fn count(n: usize) -> f64 {
    n as f64
}

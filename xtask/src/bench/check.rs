//! How fast the door answers while an import runs, beside the same when nothing does, and beside the database alone.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::environment::{Environment, LIST, SECOND_LIST};
use super::latency::percentile;
use super::{Figure, Options};
use crate::interrupt::Interrupt;
use crate::services::api::Page;
use crate::test::postgres::Cluster;
use crate::workspace;

/// The members of the audience at whose door is asked, and those of the list that is imported meanwhile.
const MEMBERS: u64 = 1_000_000;
const IMPORTED: u64 = 400_000;

/// Checks of one e-mail each, for each state: an organization is allowed 100,000 a minute.
const CHECKS: usize = 30_000;

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

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let members = MEMBERS / options.divide;
    let second = format!("{SECOND_LIST}=Imported:{}", IMPORTED / options.divide);
    let simulator = [SIMULATOR.as_slice(), &["--list", &second]].concat();
    let environment = Environment::start(members, &simulator, interrupt)?;
    let measured = Measured::of(&environment, options, interrupt)?;
    let mut figures = measured.figures("sqlite", P99_ON_SQLITE);
    let store = format!("sqlite://{}", environment.store_file().display());
    figures.push(measured.beside_a_select("sqlite", &store, OF_SQLITE)?);
    drop(environment);
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let store = cluster.database("check")?;
    let environment = Environment::start_on_postgres(&store, members, &simulator, interrupt)?;
    let measured = Measured::of(&environment, options, interrupt)?;
    figures.extend(measured.figures("postgres", P99_ON_POSTGRES));
    figures.push(measured.beside_a_select("postgres", &store, OF_POSTGRES)?);
    Ok(figures)
}

/// Checks of one state.
struct Checked {
    times: Vec<Duration>,
    /// Checks a second.
    rate: f64,
}

struct Measured {
    idle: Checked,
    busy: Checked,
    /// Reads one of the members by its primary key.
    statement: String,
}

impl Measured {
    fn of(environment: &Environment, options: &Options, interrupt: &Interrupt) -> Result<Self> {
        let run = environment.finish(&environment.import(LIST)?)?;
        let (emails, statement) = people(environment, &run.audience_id)?;
        let door = Door {
            address: format!(
                "{}/api/audiences/{}/check",
                environment.api.address, run.audience_id
            ),
            key: format!("Bearer {}", environment.api.key),
            emails,
            checks: CHECKS / usize::try_from(options.divide)?.min(CHECKS),
        };
        let idle = door.check(interrupt)?;
        let mut import = environment.import(SECOND_LIST)?;
        let is_over = AtomicBool::new(false);
        let busy = thread::scope(|scope| -> Result<Checked> {
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
            let busy = door.check(interrupt);
            is_over.store(true, Ordering::SeqCst);
            importing.join().expect("no panic while importing")?;
            busy
        })?;
        Ok(Self {
            idle,
            busy,
            statement,
        })
    }

    /// The checks a second when nothing else happens, beside the rate at which one of the members is read by its primary key,
    /// by as many at once through a pool of as many connections.
    fn beside_a_select(&self, name: &str, store: &str, connections: u32) -> Result<Figure> {
        let built = workspace::build(&["--release", "--package", "xtask", "--example", "select"])?;
        let (_, path) = built.first().context("cargo built no example")?;
        let mut select = Command::new(path);
        select.args([store, &connections.to_string(), &self.statement]);
        let output = select.stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "the statement cannot be measured");
        let rate = String::from_utf8_lossy(&output.stdout).trim().parse()?;
        Ok(Figure {
            case: "check",
            what: format!("checks on {name}, idle"),
            unit: "/s",
            measured: self.idle.rate,
            limit_is: "one SELECT by primary key through such a pool",
            limit: Some(rate),
        })
    }

    fn figures(&self, store: &str, p99: f64) -> Vec<Figure> {
        let (mut idle, mut busy) = (self.idle.times.clone(), self.busy.times.clone());
        let figure = |what: &str, unit, measured, limit_is, limit| Figure {
            case: "check",
            what: format!("{what} on {store}, during an import"),
            unit,
            measured,
            limit_is,
            limit: Some(limit),
        };
        let same = "the same idle";
        let mut figures = vec![figure("checks", "/s", self.busy.rate, same, self.idle.rate)];
        for (what, share) in [("check p50", 50), ("check p99", 99)] {
            let (busy, idle) = (percentile(&mut busy, share), percentile(&mut idle, share));
            figures.push(figure(what, "ms", busy, same, idle));
        }
        let busy = percentile(&mut busy, 99);
        figures.push(figure("check p99", "ms", busy, "what it may take", p99));
        figures
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
    checks: usize,
}

impl Door {
    /// Asks for one e-mail at a time, by [`CONNECTIONS`] at once.
    fn check(&self, interrupt: &Interrupt) -> Result<Checked> {
        let next = AtomicUsize::new(0);
        let begun = Instant::now();
        let times = thread::scope(|scope| {
            let askers: Vec<_> = (0..CONNECTIONS)
                .map(|_| scope.spawn(|| self.ask(&next, interrupt)))
                .collect();
            let mut times = Vec::new();
            for asker in askers {
                times.extend(asker.join().expect("no panic while asking")?);
            }
            anyhow::Ok(times)
        })?;
        let rate = count(times.len()) / begun.elapsed().as_secs_f64();
        Ok(Checked { times, rate })
    }

    fn ask(&self, next: &AtomicUsize, interrupt: &Interrupt) -> Result<Vec<Duration>> {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .proxy(None)
            .build();
        let agent: ureq::Agent = config.into();
        let mut times = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.checks {
                return Ok(times);
            }
            ensure!(!interrupt.is_requested(), "interrupted");
            let email = &self.emails[number % self.emails.len()];
            let asked = Instant::now();
            let mut answer = agent
                .post(&self.address)
                .header("authorization", &self.key)
                .send_json(json!({"emails": [email]}))?;
            let body: Value = answer.body_mut().read_json()?;
            times.push(asked.elapsed());
            ensure!(body["results"][0]["isMember"] == true, "answered {body}");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "some ten thousand")]
const fn count(n: usize) -> f64 {
    n as f64
}
